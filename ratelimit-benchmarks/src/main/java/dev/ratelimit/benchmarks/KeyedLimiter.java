package dev.ratelimit.benchmarks;

/** Asks for one token of a key's bucket. */
@FunctionalInterface
interface KeyedLimiter {

    boolean tryConsume(String key);
}
