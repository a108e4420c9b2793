package dev.ratelimit.spring.redis;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.Reservation;
import dev.ratelimit.Synchronization;
import dev.ratelimit.spring.OnFailure;
import dev.ratelimit.spring.redis.BucketScript.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * Keeps the buckets in Redis or Valkey, where several processes share them: one call for each request, and never one that is
 * waited for longer than a deadline. Thread-safe.
 *
 * <p>Where Redis does not answer in time, or not as it should, what {@link OnFailure} says of a policy decides in its place.
 * Policies that are not shared are decided in this process, together with the others: all or nothing.
 *
 * <p>Whoever makes policies in code makes sure that they fit Redis, by {@link #requireFitting(Policy)}: all methods throw an
 * {@link IllegalArgumentException} at one that does not.
 *
 * @hidden
 */
public final class RedisRateLimiter implements RateLimiter, AutoCloseable {
    private final LocalRateLimiter local;
    private final RedisBuckets buckets;
    private final RedisKeys keys;
    private final SharedPolicies policies;
    private final Fallback fallback;

    private RedisRateLimiter(Builder builder) {
        local = LocalRateLimiter.builder()
                .maximumKeys(builder.maximumKeys)
                .synchronization(builder.synchronization)
                .clock(builder.clock)
                .build();
        keys = new RedisKeys(builder.prefix, builder.keySecret);
        policies = new SharedPolicies(builder.shared, builder.onFailure, builder.instances);
        fallback = new Fallback(local, policies, builder.degraded);
        buckets = new RedisBuckets(
                new RedisLink(builder.connections, builder.prefix),
                new BucketScript(),
                builder.timeout,
                builder.clock,
                builder.maximumKeys);
    }

    /**
     * Returns a builder; what is not set has a default that suits most.
     *
     * @param connections whose configuration and resources are used, for a connection of the limiter's own
     */
    public static Builder builder(LettuceConnectionFactory connections) {
        return new Builder(connections);
    }

    /**
     * Makes sure of limits before anybody asks under them.
     *
     * @param instances how many processes share the limits
     * @throws IllegalArgumentException if they are too large for the numbers that a script of Redis can count with, or the
     *     share of a process is out of range; the message says which one is
     */
    public static void requireFitting(Policy policy, int instances) {
        new RedisPolicy(policy, instances);
    }

    /**
     * Makes sure of a policy before anybody asks under it.
     *
     * @throws IllegalArgumentException if its buckets are in Redis, but its limits do not fit there, as in the method of two
     *     arguments
     */
    public void requireFitting(Policy policy) {
        if (policies.areShared(policy.name())) {
            policies.inRedis(policy);
        }
    }

    /**
     * Makes sure of a connection before anybody waits for it.
     *
     * @throws IllegalArgumentException if it is one that the limiter cannot make its own after
     */
    public static void requireKnown(LettuceConnectionFactory connections) {
        RedisLink.requireKnown(connections);
    }

    /** Returns where a limiter of those connections looks for Redis, in words for a log: addresses, and no credentials. */
    public static String place(LettuceConnectionFactory connections) {
        return RedisLink.place(connections);
    }

    @Override
    public List<Decision> tryConsume(List<Claim> claims) {
        return reserve(claims, Duration.ZERO).decisions();
    }

    /**
     * {@inheritDoc}
     *
     * <p>To undo what was taken in Redis is a call of its own, which is not waited for.
     */
    @Override
    public Reservation reserve(List<Claim> claims, Duration maxWait) {
        return decide(claims, Operation.CONSUME, maxWait);
    }

    @Override
    public Decision peek(Policy policy, String key, long tokens) {
        return decide(List.of(new Claim(policy, key, tokens)), Operation.PEEK, Duration.ZERO)
                .decisions()
                .get(0);
    }

    private Reservation decide(List<Claim> claims, Operation operation, Duration maxWait) {
        DistinctClaims distinct = DistinctClaims.of(claims);
        List<Claim> own = new ArrayList<>();
        List<RedisClaim> others = new ArrayList<>();
        for (Claim claim : distinct.claims()) {
            if (policies.isShared(claim)) {
                others.add(redisClaim(claim, others));
            } else {
                own.add(claim);
            }
        }
        Reservation decided = others.isEmpty()
                ? fallback.decideHere(own, operation, maxWait)
                : decide(distinct, own, others, operation, maxWait);
        return new Reservation(distinct.told(decided.decisions()), decided::undo);
    }

    /** Decides claims on buckets of this process and on {@code others}. */
    private Reservation decide(
            DistinctClaims distinct, List<Claim> own, List<RedisClaim> others, Operation operation, Duration maxWait) {
        long patienceMicros = micros(maxWait);
        List<Decision> denied = buckets.denied(others, patienceMicros, /* elsewhere= */ false);
        if (denied != null) {
            List<Decision> mine =
                    fallback.decideHere(own, Operation.PEEK, maxWait).decisions();
            return new Reservation(inOrder(distinct, mine, denied), null);
        }
        Reservation mine = fallback.decideHere(own, operation, maxWait);
        List<Decision> known = mine.allowed() ? null : buckets.denied(others, patienceMicros, /* elsewhere= */ true);
        if (known != null) {
            return new Reservation(inOrder(distinct, mine.decisions(), known), null);
        }
        boolean takes = operation == Operation.CONSUME && mine.allowed();
        List<Call> calls = buckets.send(takes ? Operation.CONSUME : Operation.PEEK, patienceMicros, others);
        List<Decision> theirs = buckets.await(calls, others, patienceMicros);
        Reservation decided;
        if (theirs == null) {
            mine.undo();
            if (operation == Operation.CONSUME) { // whoever only looks decides nothing
                buckets.log.degraded();
            }
            decided = fallback.decide(distinct, operation, maxWait);
        } else {
            decided = decided(inOrder(distinct, mine.decisions(), theirs), mine, takes ? others : List.of());
            if (!decided.allowed()) {
                buckets.remember(calls);
            }
        }
        if (!decided.allowed()) {
            buckets.giveBack(calls);
        }
        return new Reservation(decided.decisions(), () -> {
            decided.undo();
            buckets.giveBack(calls);
        });
    }

    /** Returns those decisions, after which what was taken here is as it should be: all, or nothing. */
    private Reservation decided(List<Decision> decisions, Reservation mine, List<RedisClaim> taken) {
        List<Reservation> here = new ArrayList<>(1 + taken.size());
        here.add(mine);
        Reservation decided = new Reservation(decisions, () -> here.forEach(Reservation::undo));
        if (decided.allowed()) {
            taken.forEach(claim -> here.add(fallback.takeFromShare(claim)));
        } else {
            mine.undo();
        }
        return decided;
    }

    private List<Decision> inOrder(DistinctClaims distinct, List<Decision> mine, List<Decision> theirs) {
        Iterator<Decision> here = mine.iterator();
        Iterator<Decision> there = theirs.iterator();
        List<Decision> decisions = new ArrayList<>(distinct.claims().size());
        for (Claim claim : distinct.claims()) {
            decisions.add(policies.isShared(claim) ? there.next() : here.next());
        }
        return decisions;
    }

    @Override
    public void refund(Policy policy, String key, long tokens) {
        Claim claim = new Claim(policy, key, tokens);
        if (!policies.isShared(claim)) {
            local.refund(policy, key, tokens);
            return;
        }
        buckets.tell(Operation.REFUND, redisClaim(claim, List.of()));
        fallback.refundShare(claim);
    }

    @Override
    public void charge(Policy policy, String key, long tokens) {
        Claim claim = new Claim(policy, key, tokens);
        if (!policies.isShared(claim)) {
            local.charge(policy, key, tokens);
            return;
        }
        RedisClaim charged = redisClaim(claim, List.of());
        boolean isTold = buckets.tell(Operation.CHARGE, charged);
        fallback.chargeShare(claim, isTold);
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if Redis did not say in time that it did so
     */
    @Override
    public void reset(Policy policy, String key) {
        Claim claim = new Claim(policy, key, 1);
        if (!policies.isShared(claim)) {
            local.reset(policy, key);
            return;
        }
        buckets.reset(redisClaim(claim, List.of()));
        local.reset(policies.share(claim).policy(), key);
    }

    /** Returns how Redis has answered so far. */
    public RedisStats stats() {
        return buckets.stats;
    }

    /** Returns what keeps the buckets of this process: those that are not shared, and its part of the others. */
    public LocalRateLimiter local() {
        return local;
    }

    /** Returns what decides under the policy of that name while Redis cannot be asked; null if its buckets are not there. */
    public @Nullable OnFailure onFailure(String policy) {
        return policies.areShared(policy) ? policies.onFailure(policy) : null;
    }

    private RedisClaim redisClaim(Claim claim, List<RedisClaim> others) {
        return new RedisClaim(claim, policies.inRedis(claim.policy()), hash(claim.key(), others), keys);
    }

    /** Returns the hash of a key, which is most often that of another claim of the request. */
    private String hash(String key, List<RedisClaim> others) {
        for (RedisClaim other : others) {
            if (other.claim().key().equals(key)) {
                return other.hash();
            }
        }
        return keys.hash(key);
    }

    /** Returns {@code duration} in microseconds, or as many as the script can count; none if it is negative. */
    private static long micros(Duration duration) {
        if (duration.isNegative()) {
            return 0;
        }
        long seconds = Math.min(duration.getSeconds(), RedisLimit.MAX_DEBT / 1_000_000 - 1);
        return seconds * 1_000_000 + duration.getNano() / 1_000;
    }

    @Override
    public void close() {
        buckets.close();
    }

    /**
     * Makes a limiter. Not thread-safe.
     *
     * @hidden
     */
    public static final class Builder {
        final LettuceConnectionFactory connections;
        long maximumKeys = 100_000;
        Synchronization synchronization = Synchronization.CAS;
        NanoClock clock = NanoClock.SYSTEM;
        Duration timeout = Duration.ofMillis(100);
        int instances = 1;
        String prefix = "ratelimit";

        @Nullable
        String keySecret;

        Predicate<String> shared = policy -> true;
        Function<String, OnFailure> onFailure = policy -> OnFailure.LOCAL;
        Consumer<String> degraded = policy -> {};

        private Builder(LettuceConnectionFactory connections) {
            this.connections = connections;
        }

        /** How many keys of each policy are tracked in this process, 100,000 unless told. */
        public Builder maximumKeys(long maximumKeys) {
            this.maximumKeys = maximumKeys;
            return this;
        }

        /** How the buckets of this process are guarded, {@link Synchronization#CAS} unless told. */
        public Builder synchronization(Synchronization synchronization) {
            this.synchronization = synchronization;
            return this;
        }

        /** Where the time of this process comes from, {@link NanoClock#SYSTEM} unless told; Redis goes by its own. */
        public Builder clock(NanoClock clock) {
            this.clock = clock;
            return this;
        }

        /** How long a decision waits for Redis, 100 ms unless told. */
        public Builder timeout(Duration timeout) {
            this.timeout = timeout;
            return this;
        }

        /** How many processes share the limits, 1 unless told: each has that part of them while Redis cannot be asked. */
        public Builder instances(int instances) {
            this.instances = instances;
            return this;
        }

        /** What all keys in Redis begin with, {@code ratelimit} unless told. */
        public Builder prefix(String prefix) {
            this.prefix = prefix;
            return this;
        }

        /** The secret that keys are hashed under, none unless told. */
        public Builder keySecret(@Nullable String keySecret) {
            this.keySecret = keySecret;
            return this;
        }

        /** The names of the policies whose buckets are in Redis, all unless told; those of others are in this process. */
        public Builder shared(Predicate<String> policies) {
            this.shared = policies;
            return this;
        }

        /** What decides, by the policy's name, while Redis cannot be asked; {@link OnFailure#LOCAL} unless told. */
        public Builder onFailure(Function<String, OnFailure> onFailure) {
            this.onFailure = onFailure;
            return this;
        }

        /** Is told the policy's name of each decision that Redis was not there to make; must not throw or wait. */
        public Builder degraded(Consumer<String> degraded) {
            this.degraded = degraded;
            return this;
        }

        /** Returns the limiter, which connects in the background if Redis does not answer within three seconds. */
        public RedisRateLimiter build() {
            return new RedisRateLimiter(this);
        }
    }
}
