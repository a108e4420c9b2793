package dev.ratelimit.benchmarks;

import dev.ratelimit.Synchronization;
import dev.ratelimit.TokenBucket;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** One decision of one bucket of ours, in every way to guard it; {@code -p limits=1,2,4} for more than one limit. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init")
public class BucketBenchmark extends NanosPerDecision {

    @Param
    Synchronization synchronization;

    @Param("1")
    int limits;

    private TokenBucket admitting;
    private TokenBucket denying;

    @Setup
    public void setUp() {
        admitting = bucket(Work.ADMIT);
        denying = bucket(Work.DENY);
    }

    private TokenBucket bucket(Work work) {
        TokenBucket bucket = TokenBucket.builder()
                .limits(work.limits(limits))
                .synchronization(synchronization)
                .initialTokens(work.initialTokens())
                .build();
        work.prepare(() -> bucket.tryConsume(1).allowed());
        return bucket;
    }

    @Benchmark
    public boolean admit() {
        return admitting.tryConsume(1).allowed();
    }

    @Benchmark
    public boolean deny() {
        return denying.tryConsume(1).allowed();
    }
}
