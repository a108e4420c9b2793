package dev.ratelimit.benchmarks;

import org.openjdk.jmh.annotations.Benchmark;

/** Reads the clock and decides nothing: no limiter that knows the time can be faster. */
public class ClockBenchmark extends NanosPerDecision {

    @Benchmark
    public long nanoTime() {
        return System.nanoTime();
    }
}
