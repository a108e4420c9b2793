package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.Method;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ThreadLocalBucketTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());

    private ThreadLocalBucket bucket(String limit, long tokens) {
        return (ThreadLocalBucket) TokenBucket.builder()
                .limits(Limit.parse(limit))
                .synchronization(Synchronization.THREAD_LOCAL)
                .clock(clock)
                .initialTokens(tokens)
                .build();
    }

    @Test
    void givesEachPlatformThreadABudgetOfItsOwn() throws Exception {
        ThreadLocalBucket bucket = bucket("5/1d", 3);
        AtomicLong admitted = new AtomicLong();

        Race.of(8, thread -> {
            for (int i = 0; i < 100; i++) {
                admitted.addAndGet(bucket.tryConsume(1).allowed() ? 1 : 0);
            }
        });

        assertThat(admitted).hasValue(8 * 3);
        assertThat(bucket.tryConsume(3).allowed()).isTrue();
    }

    @Test
    void keepsNothingOfThreadsThatAreGone() throws InterruptedException {
        ThreadLocalBucket bucket = bucket("5/1d", 5);
        for (int i = 0; i < 10_000; i++) {
            Thread thread = new Thread(() -> bucket.tryConsume(1));
            thread.start();
            thread.join();
        }

        for (int tries = 0; tries < 100 && bucket.threads() > 1; tries++) {
            System.gc();
            System.runFinalization();
        }
        assertThat(bucket.threads()).isLessThanOrEqualTo(1);
    }

    @Test
    void letsVirtualThreadsShareOneBucket() throws Exception {
        Method startVirtualThread = Stream.of(Thread.class.getMethods())
                .filter(method -> method.getName().equals("startVirtualThread"))
                .findFirst()
                .orElse(null);
        assumeTrue(startVirtualThread != null, "virtual threads came with JDK 21");
        ThreadLocalBucket bucket = bucket("5/1d", 5);
        AtomicLong admitted = new AtomicLong();

        for (int i = 0; i < 100; i++) {
            Runnable task = () -> admitted.addAndGet(bucket.tryConsume(1).allowed() ? 1 : 0);
            ((Thread) startVirtualThread.invoke(null, task)).join();
        }

        assertThat(admitted).hasValue(5);
        assertThat(bucket.threads()).isZero();
    }
}
