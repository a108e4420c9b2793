package dev.ratelimit.spring.redis;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.Synchronization;
import dev.ratelimit.spring.OnFailure;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** Keeps the buckets in Redis. Thread-safe. */
public final class RedisRateLimiter implements RateLimiter, AutoCloseable {
    private final LocalRateLimiter local;

    private RedisRateLimiter(Builder builder) {
        local = LocalRateLimiter.builder()
                .maximumKeys(builder.maximumKeys)
                .synchronization(builder.synchronization)
                .clock(builder.clock)
                .build();
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
     * @throws IllegalArgumentException if they are too large for the numbers that a script of Redis can count with; the
     *     message says which one is
     */
    public static void requireFitting(Policy policy) {
        // to come
    }

    @Override
    public List<Decision> tryConsume(List<Claim> claims) {
        return local.tryConsume(claims);
    }

    /** To come. */
    public List<Decision> reserve(List<Claim> claims, Duration maxWait) {
        return local.tryConsume(claims);
    }

    @Override
    public Decision peek(Policy policy, String key, long tokens) {
        return local.peek(policy, key, tokens);
    }

    @Override
    public void refund(Policy policy, String key, long tokens) {
        local.refund(policy, key, tokens);
    }

    @Override
    public void charge(Policy policy, String key, long tokens) {
        local.charge(policy, key, tokens);
    }

    @Override
    public void reset(Policy policy, String key) {
        local.reset(policy, key);
    }

    @Override
    public void close() {
        // to come
    }

    /** Makes a limiter. Not thread-safe. */
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

        /** Returns the limiter, which connects in the background if Redis does not answer within a second. */
        public RedisRateLimiter build() {
            return new RedisRateLimiter(this);
        }
    }
}
