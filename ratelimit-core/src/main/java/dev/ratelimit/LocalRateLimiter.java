package dev.ratelimit;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Keeps the buckets in this process: for each policy at most {@code maximumKeys} of them, in Caffeine. Thread-safe.
 *
 * <p>A bucket that has been idle for as long as it takes to fill is forgotten, since it is the same as a new one.
 */
public final class LocalRateLimiter implements RateLimiter {
    private final ConcurrentMap<String, PolicyBuckets> policies = new ConcurrentHashMap<>();
    private final long maximumKeys;
    private final Synchronization synchronization;
    private final NanoClock clock;

    private LocalRateLimiter(Builder builder) {
        maximumKeys = builder.maximumKeys;
        synchronization = builder.synchronization;
        clock = builder.clock;
    }

    /** Returns a builder; what is not set has a default that suits most. */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public Decision tryConsume(Policy policy, String key, long tokens) {
        return buckets(policy).bucket(key).tryConsume(tokens);
    }

    @Override
    public List<Decision> tryConsume(List<Claim> claims) {
        if (claims.size() == 1) {
            Claim claim = claims.get(0);
            return List.of(tryConsume(claim.policy(), claim.key(), claim.tokens()));
        }
        return new Claims(this, claims).tryConsume();
    }

    @Override
    public Decision peek(Policy policy, String key, long tokens) {
        return buckets(policy).peek(key, tokens);
    }

    @Override
    public void refund(Policy policy, String key, long tokens) {
        buckets(policy).bucket(key).refund(tokens);
    }

    @Override
    public void reset(Policy policy, String key) {
        buckets(policy).bucket(key).refund(Long.MAX_VALUE);
    }

    TokenBucket bucket(Claim claim) {
        return buckets(claim.policy()).bucket(claim.key());
    }

    private PolicyBuckets buckets(Policy policy) {
        PolicyBuckets buckets = policies.get(policy.name());
        return buckets != null && buckets.isOf(policy) ? buckets : register(policy);
    }

    private PolicyBuckets register(Policy policy) {
        return Objects.requireNonNull(policies.compute(
                policy.name(),
                (name, present) -> present != null && present.isOf(policy)
                        ? present
                        : new PolicyBuckets(policy, synchronization, clock, maximumKeys)));
    }

    @Override
    public String toString() {
        return "LocalRateLimiter" + new ArrayList<>(policies.values());
    }

    /** Makes a limiter. Not thread-safe. */
    public static final class Builder {
        private long maximumKeys = 100_000;
        private Synchronization synchronization = Synchronization.CAS;
        private NanoClock clock = NanoClock.SYSTEM;

        private Builder() {}

        /**
         * How many keys are tracked for each policy, 100,000 unless told.
         *
         * @throws IllegalArgumentException if that is below 1
         */
        public Builder maximumKeys(long maximumKeys) {
            Gcra.requirePositive("maximumKeys", maximumKeys);
            this.maximumKeys = maximumKeys;
            return this;
        }

        /** How each bucket is guarded, {@link Synchronization#CAS} unless told. */
        public Builder synchronization(Synchronization synchronization) {
            this.synchronization = Objects.requireNonNull(synchronization, "synchronization");
            return this;
        }

        /** Where time comes from, {@link NanoClock#SYSTEM} unless told. */
        public Builder clock(NanoClock clock) {
            this.clock = Objects.requireNonNull(clock, "clock");
            return this;
        }

        /** Returns the limiter, which knows no key yet. */
        public LocalRateLimiter build() {
            return new LocalRateLimiter(this);
        }
    }
}
