package dev.ratelimit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Keeps the buckets in this process: for each policy at most {@code maximumKeys} of them, in Caffeine. Thread-safe.
 *
 * <p>A bucket that is full again is forgotten as others come, since it is the same as a new one. One that is evicted earlier,
 * for want of room, leaves its debt in a ledger of fixed size, where a new bucket of that key finds it. So no key is ever
 * admitted more than its limits allow, whatever is evicted and however many keys there are. But a key that is new, or comes
 * back, may be held to the debt of another that shares its place in the ledger, and hand that on when it is evicted in turn:
 * where far more keys than {@code maximumKeys} come and go within the time a bucket takes to fill, debts add up until
 * newcomers are denied. So {@code maximumKeys} should not be far below the number of clients that ask within that time.
 *
 * <p>Under {@link Synchronization#CAS}, a limiter takes some 190 bytes for each key of a policy under one limit, some 250
 * under three, however many plans there are, and 16 more for each further limit: eight in the bucket and eight in the ledger.
 *
 * <p>A key may be asked for under the same policy with other limits, since they were changed or depend on the client: then it
 * keeps the tokens it has, as far as they fit. Where these lists of limits are several, and hold more than four limits
 * together, an evicted key of those that came last may have to wait until it would have been full.
 * Keys longer than 128 bytes are kept as their SHA-256.
 *
 * <pre>{@code
 * RateLimiter limiter = LocalRateLimiter.builder().maximumKeys(10_000).build();
 * Decision decision = limiter.tryConsume(Policy.of("api", Limit.parse("100/1m")), "alice", 1);
 * }</pre>
 */
public final class LocalRateLimiter implements RateLimiter {
    private final ConcurrentMap<String, PolicyBuckets> policies = new ConcurrentHashMap<>();
    private final long maximumKeys;
    private final Synchronization synchronization;
    private final NanoClock clock;

    /**
     * What is kept for the keys of one policy. Immutable.
     *
     * @param keys about how many are tracked
     * @param evictionsInDebt how many were evicted, ever, before their bucket was full again
     * @param ledgerFill about which share of the ledger holds a debt of those, from 0 to 1; a newcomer is held to the debt of
     *     others with a probability of its square
     */
    public record Stats(long keys, long evictionsInDebt, double ledgerFill) {
        private static final Stats NONE = new Stats(0, 0, 0);
    }

    private LocalRateLimiter(Builder builder) {
        maximumKeys = builder.maximumKeys;
        synchronization = builder.synchronization;
        clock = builder.clock;
    }

    /** {@return a builder; what is not set has a default that suits most} */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public Decision tryConsume(Policy policy, String key, long tokens) {
        Gcra.requirePositive("tokens", tokens);
        return reserve(policy, key, tokens, 0, Charges.NONE);
    }

    @Override
    public List<Decision> tryConsume(List<Claim> claims) {
        if (claims.size() == 1) {
            Claim claim = claims.get(0);
            return List.of(tryConsume(claim.policy(), claim.key(), claim.tokens()));
        }
        return new Claims(this, claims).reserve(0);
    }

    @Override
    public Reservation reserve(List<Claim> claims, Duration maxWait) {
        Claims taken = new Claims(this, claims);
        return new Reservation(taken.reserve(Math.max(0, Gcra.nanosOf(maxWait))), taken::undo);
    }

    /** Takes tokens for a caller who waits up to {@code maxWaitNanos}, and who may give them back if there are {@code charges}. */
    Decision reserve(Policy policy, String key, long tokens, long maxWaitNanos, Charges charges) {
        PolicyBuckets buckets = buckets(policy);
        while (true) {
            GuardedBucket bucket = buckets.bucket(policy, key);
            Decision decision = bucket.reserve(tokens, maxWaitNanos, charges);
            if (decision.allowed() || !bucket.isRetired()) {
                return decision;
            }
        }
    }

    @Override
    public Decision peek(Policy policy, String key, long tokens) {
        Gcra.requirePositive("tokens", tokens);
        return decide(policy, key, tokens, 0);
    }

    /** Returns what {@link #reserve(Policy, String, long, long, Charges)} would have returned, and takes nothing. */
    Decision decide(Policy policy, String key, long tokens, long maxWaitNanos) {
        return buckets(policy).decide(policy, key, tokens, maxWaitNanos);
    }

    void undo(Policy policy, String key, Charges charges) {
        charges.undo(charge -> buckets(policy).undo(policy, key, charge));
    }

    @Override
    public void refund(Policy policy, String key, long tokens) {
        buckets(policy).refund(policy, key, tokens);
    }

    @Override
    public void charge(Policy policy, String key, long tokens) {
        buckets(policy).charge(policy, key, tokens);
    }

    /**
     * {@inheritDoc}
     *
     * <p>The ledger can't tell this key's debt from that of others: a key that was evicted in debt, then reset and evicted
     * once more before that debt would have been paid, may be held to it again.
     */
    @Override
    public void reset(Policy policy, String key) {
        buckets(policy).refund(policy, key, Terms.ALL);
    }

    private PolicyBuckets buckets(Policy policy) {
        PolicyBuckets buckets = policies.get(policy.name());
        return buckets != null
                ? buckets
                : policies.computeIfAbsent(
                        policy.name(), name -> new PolicyBuckets(policy, synchronization, clock, maximumKeys));
    }

    /**
     * {@return what is kept, for operators to look at; it is cheap, and delays no decision}
     *
     * @param policy whose buckets, known by its name
     */
    public Stats stats(Policy policy) {
        PolicyBuckets buckets = policies.get(policy.name());
        return buckets == null ? Stats.NONE : buckets.stats();
    }

    /** Returns how many ledgers are kept for {@code policy}. */
    int ledgers(Policy policy) {
        return buckets(policy).ledgers();
    }

    /** Returns how many keys of {@code policy} are tracked, after those that are to go have gone. */
    long keys(Policy policy) {
        return buckets(policy).keys();
    }

    /** Returns about how many keys of {@code policy} are tracked, as it is. */
    long estimatedKeys(Policy policy) {
        return buckets(policy).estimatedKeys();
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
         * Sets how many keys are tracked for each policy.
         *
         * @param maximumKeys at least 1; 100,000 unless told
         * @return this builder
         * @throws IllegalArgumentException if that is below 1
         */
        public Builder maximumKeys(long maximumKeys) {
            Gcra.requirePositive("maximumKeys", maximumKeys);
            this.maximumKeys = maximumKeys;
            return this;
        }

        /**
         * Sets how each bucket is guarded. {@link Synchronization#STRIPED} is for policies that have one very hot key.
         *
         * @param synchronization {@link Synchronization#CAS} unless told
         * @return this builder
         * @throws IllegalArgumentException for {@link Synchronization#THREAD_LOCAL}, which would give each key a budget for
         *     each thread
         */
        public Builder synchronization(Synchronization synchronization) {
            if (synchronization == Synchronization.THREAD_LOCAL) {
                throw new IllegalArgumentException("synchronization must not be THREAD_LOCAL: a key would have a budget"
                        + " for each thread that asks, and not one");
            }
            this.synchronization = Objects.requireNonNull(synchronization, "synchronization");
            return this;
        }

        /**
         * Sets where time comes from.
         *
         * @param clock {@link NanoClock#SYSTEM} unless told
         * @return this builder
         */
        public Builder clock(NanoClock clock) {
            this.clock = Objects.requireNonNull(clock, "clock");
            return this;
        }

        /** {@return the limiter, which knows no key yet} */
        public LocalRateLimiter build() {
            return new LocalRateLimiter(this);
        }
    }
}
