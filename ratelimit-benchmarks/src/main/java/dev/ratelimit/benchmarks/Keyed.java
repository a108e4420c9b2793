package dev.ratelimit.benchmarks;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.Policy;
import dev.ratelimit.Synchronization;
import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.caffeine.Bucket4jCaffeine;
import io.github.bucket4j.distributed.proxy.ProxyManager;
import io.github.bucket4j.local.SynchronizationStrategy;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import java.util.function.Function;

/** Ways to keep a bucket for each of many keys: ours, the peers', and a cache that decides nothing. */
public enum Keyed {

    /** The baseline: a bare Caffeine get, whose value nobody reads, and a reading of the clock. */
    CAFFEINE_AND_CLOCK {
        @Override
        KeyedLimiter limiter(Limit limit, int maximumKeys) {
            Cache<String, Boolean> cache = caffeine(maximumKeys).build();
            return key -> cache.get(key, absent -> Boolean.TRUE) && System.nanoTime() != 0;
        }
    },

    OURS_CAS {
        @Override
        KeyedLimiter limiter(Limit limit, int maximumKeys) {
            return ours(Synchronization.CAS, limit, maximumKeys);
        }
    },

    OURS_STAMPED {
        @Override
        KeyedLimiter limiter(Limit limit, int maximumKeys) {
            return ours(Synchronization.STAMPED, limit, maximumKeys);
        }
    },

    OURS_LOCK {
        @Override
        KeyedLimiter limiter(Limit limit, int maximumKeys) {
            return ours(Synchronization.LOCK, limit, maximumKeys);
        }
    },

    /** A Caffeine cache of bucket4j's local buckets, on the clock that ours reads. */
    CAFFEINE_OF_BUCKET4J {
        @Override
        KeyedLimiter limiter(Limit limit, int maximumKeys) {
            Cache<String, Bucket> cache = caffeine(maximumKeys).build();
            Bandwidth bandwidth = Bucket4j.bandwidth(limit);
            Function<String, Bucket> newBucket =
                    key -> Bucket4j.bucket(bandwidth, TimeMeter.SYSTEM_NANOTIME, SynchronizationStrategy.LOCK_FREE);
            return key -> cache.get(key, newBucket).tryConsume(1);
        }
    },

    /** bucket4j's own module for Caffeine, on the wall clock: it refuses any other. */
    BUCKET4J_PROXY {
        @Override
        KeyedLimiter limiter(Limit limit, int maximumKeys) {
            ProxyManager<String> proxies =
                    Bucket4jCaffeine.<String>builderFor(caffeine(maximumKeys)).build();
            BucketConfiguration configuration = Bucket4j.configuration(limit);
            return key -> proxies.getProxy(key, () -> configuration).tryConsume(1);
        }
    },

    /** resilience4j's registry, which has no bound and forgets nobody. */
    RESILIENCE4J_REGISTRY {
        @Override
        KeyedLimiter limiter(Limit limit, int maximumKeys) {
            RateLimiterRegistry registry = Resilience4j.registry(limit);
            return key -> registry.rateLimiter(key).acquirePermission();
        }
    };

    /** Returns a limiter that knows no key yet and tracks up to {@code maximumKeys} of them. */
    abstract KeyedLimiter limiter(Limit limit, int maximumKeys);

    private static KeyedLimiter ours(Synchronization synchronization, Limit limit, int maximumKeys) {
        LocalRateLimiter limiter = LocalRateLimiter.builder()
                .synchronization(synchronization)
                .maximumKeys(maximumKeys)
                .build();
        Policy policy = Policy.of("benchmark", limit);
        return key -> limiter.tryConsume(policy, key, 1).allowed();
    }

    /** The same for all: maintained by whoever gets, as in ours, so that no work moves to a thread that isn't timed. */
    private static Caffeine<Object, Object> caffeine(int maximumSize) {
        return Caffeine.newBuilder().maximumSize(maximumSize).executor(Runnable::run);
    }
}
