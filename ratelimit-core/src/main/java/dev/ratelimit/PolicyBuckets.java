package dev.ratelimit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.function.Function;

/** The buckets of one policy, by key. Thread-safe. */
final class PolicyBuckets {
    private final Policy policy;
    private final Terms terms;
    private final Cache<String, TokenBucket> buckets;
    private final Function<String, TokenBucket> newBucket;

    PolicyBuckets(Policy policy, Synchronization synchronization, NanoClock clock, long maximumKeys) {
        this.policy = policy;
        terms = new Terms(policy.limits(), clock);
        newBucket = key -> synchronization.bucket(terms, terms.stateOf(Long.MAX_VALUE));
        buckets = Caffeine.newBuilder()
                .maximumSize(maximumKeys)
                .expireAfterAccess(Duration.ofNanos(terms.nanosToFull()))
                .ticker(clock::nanos)
                .executor(Runnable::run) // no threads of our own, and none of the common pool
                .build();
    }

    boolean isOf(Policy policy) {
        return this.policy == policy || this.policy.equals(policy);
    }

    TokenBucket bucket(String key) {
        return buckets.get(key, newBucket);
    }

    /** Decides without keeping a bucket for a key that has none. */
    Decision peek(String key, long tokens) {
        TokenBucket bucket = buckets.getIfPresent(key);
        return (bucket == null ? newBucket.apply(key) : bucket).peek(tokens);
    }

    @Override
    public String toString() {
        return policy.name() + ": " + terms + ", " + buckets.estimatedSize() + " keys";
    }
}
