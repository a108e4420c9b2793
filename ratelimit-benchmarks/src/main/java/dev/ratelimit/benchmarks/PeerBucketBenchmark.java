package dev.ratelimit.benchmarks;

import java.util.function.BooleanSupplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** The same two decisions as in {@link BucketBenchmark}, by the peers. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init")
public class PeerBucketBenchmark extends NanosPerDecision {

    @Param
    Peer peer;

    private BooleanSupplier admitting;
    private BooleanSupplier denying;

    @Setup
    public void setUp() {
        admitting = Work.ADMIT.prepare(peer.bucket(Work.ADMIT.limit()));
        denying = Work.DENY.prepare(peer.bucket(Work.DENY.limitOfKeys()));
    }

    @Benchmark
    public boolean admit() {
        return admitting.getAsBoolean();
    }

    @Benchmark
    public boolean deny() {
        return denying.getAsBoolean();
    }
}
