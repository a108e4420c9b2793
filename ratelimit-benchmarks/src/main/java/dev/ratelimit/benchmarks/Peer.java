package dev.ratelimit.benchmarks;

import com.google.common.util.concurrent.RateLimiter;
import dev.ratelimit.Limit;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.local.SynchronizationStrategy;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Other libraries' limiters, each a bucket that answers at once. */
public enum Peer {

    /** bucket4j on the clock that ours reads, lock-free as it is by default. */
    BUCKET4J {
        @Override
        BooleanSupplier bucket(Limit limit) {
            return bucket4j(limit, TimeMeter.SYSTEM_NANOTIME, SynchronizationStrategy.LOCK_FREE);
        }
    },

    /** bucket4j with its own lock, on the same clock. */
    BUCKET4J_LOCK {
        @Override
        BooleanSupplier bucket(Limit limit) {
            return bucket4j(limit, TimeMeter.SYSTEM_NANOTIME, SynchronizationStrategy.SYNCHRONIZED);
        }
    },

    /** bucket4j as it comes: the wall clock's milliseconds. */
    BUCKET4J_MILLIS {
        @Override
        BooleanSupplier bucket(Limit limit) {
            return bucket4j(limit, TimeMeter.SYSTEM_MILLISECONDS, SynchronizationStrategy.LOCK_FREE);
        }
    },

    /** resilience4j, whose capacity is what one period refills, without waiting. */
    RESILIENCE4J {
        @Override
        BooleanSupplier bucket(Limit limit) {
            RateLimiterRegistry registry = Resilience4j.registry(limit);
            return registry.rateLimiter("bucket")::acquirePermission;
        }
    },

    /** Guava, whose capacity is one second's worth. */
    GUAVA {
        @Override
        BooleanSupplier bucket(Limit limit) {
            return RateLimiter.create(limit.refillTokens() / seconds(limit.refillPeriod()))::tryAcquire;
        }

        private static double seconds(Duration period) {
            return period.toNanos() / 1e9;
        }
    },

    /** Failsafe, whose capacity is what one period refills. */
    FAILSAFE {
        @Override
        BooleanSupplier bucket(Limit limit) {
            return dev.failsafe.RateLimiter.burstyBuilder(limit.refillTokens(), limit.refillPeriod())
                    .build()::tryAcquirePermit;
        }
    };

    /** Returns a full bucket under {@code limit}, or what comes nearest to it; each call asks for one token. */
    abstract BooleanSupplier bucket(Limit limit);

    private static BooleanSupplier bucket4j(Limit limit, TimeMeter clock, SynchronizationStrategy strategy) {
        Bucket bucket = Bucket4j.bucket(Bucket4j.bandwidth(limit), clock, strategy);
        return () -> bucket.tryConsume(1);
    }
}
