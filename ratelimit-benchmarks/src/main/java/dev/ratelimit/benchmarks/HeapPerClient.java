package dev.ratelimit.benchmarks;

import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;

/** Prints the bytes of heap that each tracked client takes, its key and everything else included. */
public final class HeapPerClient {
    private static final int CLIENTS = 1_000_000;

    private HeapPerClient() {}

    public static void main(String[] args) {
        for (Keyed each : Keyed.values()) {
            measure(each, 1_000); // loads classes
            System.out.printf("%-22s %6.1f B%n", each, (double) measure(each, CLIENTS) / CLIENTS);
        }
    }

    private static long measure(Keyed keyed, int clients) {
        long before = usedBytes();
        KeyedLimiter limiter = keyed.limiter(Work.ADMIT.limitOfKeys(), clients);
        try {
            for (int i = 0; i < clients; i++) {
                limiter.tryConsume(Addresses.address(i));
            }
            return usedBytes() - before;
        } finally {
            Reference.reachabilityFence(limiter);
        }
    }

    private static long usedBytes() {
        System.gc();
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
