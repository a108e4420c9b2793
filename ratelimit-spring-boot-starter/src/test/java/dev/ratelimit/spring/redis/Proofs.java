package dev.ratelimit.spring.redis;

import java.time.Duration;

/** What differs between {@code mvn verify}, where no outcome depends on the machine's speed, and the profile proofs. */
final class Proofs {
    /** Whether to hold against the promises about time, too. */
    static final boolean ON = Boolean.getBoolean("redis.proofs");

    /** For a decision: what is promised, or what even a busy machine keeps to as long as Redis is there. */
    static final Duration TIMEOUT = Duration.ofMillis(ON ? 100 : 1000);

    /** How long a fault holds. */
    static final long FAULT_MILLIS = Long.getLong("redis.fault-millis", 100);

    private Proofs() {}
}
