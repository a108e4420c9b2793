package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.InvalidRateLimitException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The limiter that keeps its buckets in Redis.
 *
 * @param timeout How long a decision may take; after that, on-failure decides
 * @param instances How many instances of the application share the limits, and so which part of them each may allow while Redis
 *     cannot be asked
 * @param prefix What keys in Redis begin with, for applications to share limits or not; the application's name unless set
 */
record RedisProperties(
        @DefaultValue("100ms") Duration timeout,
        @DefaultValue("1") int instances,
        @Nullable String prefix) {
    private static final Duration MIN_TIMEOUT = Duration.ofMillis(1);
    private static final Duration MAX_TIMEOUT = Duration.ofSeconds(10);
    private static final int MAX_INSTANCES = 10_000;
    private static final String PREFIX = "ratelimit.redis.prefix";

    RedisProperties {
        if (timeout.compareTo(MIN_TIMEOUT) < 0 || timeout.compareTo(MAX_TIMEOUT) > 0) {
            throw new InvalidRateLimitException(
                    "ratelimit.redis.timeout", "is " + timeout + ", but must be from 1ms to 10s");
        }
        if (instances < 1 || instances > MAX_INSTANCES) {
            throw new InvalidRateLimitException(
                    "ratelimit.redis.instances", "is " + instances + ", but must be from 1 to " + MAX_INSTANCES);
        }
        if (prefix != null) {
            check(prefix, "is");
        }
    }

    /** Returns what keys begin with, in an application of that name, which may be none. */
    String prefix(String application) {
        if (prefix != null) {
            return prefix;
        }
        if (application.isEmpty()) {
            return "ratelimit";
        }
        check(application, "is, by spring.application.name,");
        return application;
    }

    /** In a cluster, what is between braces decides where a key is; and that is not for the prefix to say. */
    private static void check(String prefix, String is) {
        if (prefix.isBlank() || prefix.chars().anyMatch(c -> c < ' ' || c > '~' || c == '{' || c == '}')) {
            throw new InvalidRateLimitException(
                    PREFIX, is + " \"" + prefix + "\", but must be printable ASCII without braces");
        }
    }
}
