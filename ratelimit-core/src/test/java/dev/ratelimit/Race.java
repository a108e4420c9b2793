package dev.ratelimit;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Threads that start at one time. */
final class Race {

    /** What one of them does; it is told its number. */
    @FunctionalInterface
    interface Runner {
        void run(int thread) throws Exception;
    }

    private Race() {}

    /** Runs {@code threads} of them and waits for all. */
    static void of(int threads, Runner runner) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            CyclicBarrier start = new CyclicBarrier(threads);
            List<Future<?>> results = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int thread = i;
                results.add(executor.submit(() -> {
                    start.await();
                    runner.run(thread);
                    return null;
                }));
            }
            for (Future<?> result : results) {
                result.get();
            }
        } finally {
            executor.shutdownNow();
        }
    }

    /** Starts {@code thread}, and returns when it is done, or has to wait for a lock. */
    static void startAndLetRun(Thread thread) {
        thread.start();
        while (thread.getState() != Thread.State.TERMINATED && thread.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
    }
}
