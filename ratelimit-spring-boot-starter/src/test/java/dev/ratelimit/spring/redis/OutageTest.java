package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** However long Redis hangs, an application pays neither with its heap nor with its log. */
class OutageTest {
    private static final long MIB = 1024 * 1024;

    @Test
    void keepsNothingOfWhatItCouldNotSend() {
        try (RedisProcess redis = RedisProcess.start();
                FaultLoad load = FaultLoad.on(redis.port());
                LogLines lines = new LogLines()) {
            load.runUntilWell("start", () -> {});
            load.forget();
            long before = usedBytes();
            long calls = redis.calls("evalsha");
            redis.pause();

            load.run("outage", Proofs.FAULT_MILLIS);
            assertThat(load.degraded()).isPositive();
            load.forget();
            long after = usedBytes();

            assertThat(after - before).isLessThan(20 * MIB);
            assertThat(lines.of("dev.ratelimit")).isBetween(1L, 2 + Proofs.FAULT_MILLIS / 30_000);
            redis.resume();
            assertThat(redis.calls("evalsha") - calls).isLessThan(100); // of the thousands that were decided
            load.runUntilWell("well", () -> {});
            assertThat(load.thrown()).isEmpty();
        }
    }

    private static long usedBytes() {
        System.gc();
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
