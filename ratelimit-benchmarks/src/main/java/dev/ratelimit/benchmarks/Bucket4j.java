package dev.ratelimit.benchmarks;

import dev.ratelimit.Limit;
import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.local.SynchronizationStrategy;

/** Makes bucket4j's buckets from our limits. */
final class Bucket4j {

    private Bucket4j() {}

    static Bucket bucket(Bandwidth bandwidth, TimeMeter clock, SynchronizationStrategy strategy) {
        return Bucket.builder()
                .addLimit(bandwidth)
                .withCustomTimePrecision(clock)
                .withSynchronizationStrategy(strategy)
                .build();
    }

    static BucketConfiguration configuration(Limit limit) {
        return BucketConfiguration.builder().addLimit(bandwidth(limit)).build();
    }

    static Bandwidth bandwidth(Limit limit) {
        return Bandwidth.builder()
                .capacity(limit.capacity())
                .refillGreedy(limit.refillTokens(), limit.refillPeriod())
                .build();
    }
}
