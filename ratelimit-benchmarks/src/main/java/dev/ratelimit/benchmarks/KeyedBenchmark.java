package dev.ratelimit.benchmarks;

import java.util.concurrent.ThreadLocalRandom;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** One decision for one of many keys, few of which make most of the requests. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init")
public class KeyedBenchmark extends NanosPerDecision {
    private static final int REQUESTS = 1 << 20;

    @Param
    Keyed limiter;

    @Param("100000")
    int keys;

    @Param
    Work work;

    private String[] requests;
    private KeyedLimiter tracking;

    @Setup
    public void setUp() {
        String[] clients = Addresses.addresses(keys);
        requests = Addresses.requests(clients, REQUESTS);
        tracking = limiter.limiter(work.limitOfKeys(), keys);
        for (String client : clients) {
            tracking.tryConsume(client);
        }
    }

    @Benchmark
    public boolean decide(Cursor cursor) {
        return tracking.tryConsume(requests[cursor.next++ & REQUESTS - 1]);
    }

    /** Where a thread is in the requests. */
    @State(Scope.Thread)
    public static class Cursor {
        private int next = ThreadLocalRandom.current().nextInt(REQUESTS);
    }
}
