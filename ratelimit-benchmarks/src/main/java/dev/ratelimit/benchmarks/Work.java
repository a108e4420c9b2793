package dev.ratelimit.benchmarks;

import dev.ratelimit.Limit;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** The two answers of a limiter, each with a limit under which a bucket gives no other. */
public enum Work {

    /** A rate that no run uses up, and that isn't a whole number of nanoseconds a token. */
    ADMIT(1_000_000_000_000L, 300_000_000, Duration.ofSeconds(1)),

    /** One token in a quarter of an hour, of so many that there are shares for stripes; all but one are gone when a bucket is made. */
    DENY(100_000, 1, Duration.ofMinutes(15));

    private final long capacity;
    private final long refillTokens;
    private final Duration refillPeriod;

    Work(long capacity, long refillTokens, Duration refillPeriod) {
        this.capacity = capacity;
        this.refillTokens = refillTokens;
        this.refillPeriod = refillPeriod;
    }

    Limit limit() {
        return new Limit(capacity, refillTokens, refillPeriod);
    }

    long initialTokens() {
        return this == ADMIT ? capacity : 1;
    }

    /** Returns a limit for one of many keys, whose bucket has a token back only after ten seconds: one that is full is forgotten. */
    Limit limitOfKeys() {
        return this == ADMIT
                ? Limit.of(200_000_000, Duration.ofSeconds(2_000_000_000))
                : Limit.of(1, Duration.ofDays(1));
    }

    /** Returns {@code count} limits, the last of which makes the answer: the worst case for a denial. */
    Limit[] limits(int count) {
        Limit[] limits = new Limit[count];
        for (int i = 1; i < count; i++) {
            limits[i - 1] = new Limit(ADMIT.capacity, ADMIT.refillTokens - i, ADMIT.refillPeriod);
        }
        limits[count - 1] = limit();
        return limits;
    }

    /** Brings a new bucket to where it gives this answer only, and returns it. */
    BooleanSupplier prepare(BooleanSupplier bucket) {
        boolean first = bucket.getAsBoolean();
        boolean second = bucket.getAsBoolean();
        if (!first || second != (this == ADMIT)) {
            throw new IllegalStateException("the bucket does not " + this + " under " + limit());
        }
        return bucket;
    }
}
