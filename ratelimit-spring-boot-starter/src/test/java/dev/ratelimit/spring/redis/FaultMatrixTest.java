package dev.ratelimit.spring.redis;

import static dev.ratelimit.spring.redis.FaultLoad.CAPACITY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.redis.FaultLoad.Phase;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever happens to Redis, the limiter answers, and admits no more than the failure policy says. */
class FaultMatrixTest {
    /** One each time that it fails and that it is back, which in a storm may be a few times, and one every 30 seconds. */
    private static final long LINES = 6 + Proofs.FAULT_MILLIS / 30_000;

    @ParameterizedTest
    @EnumSource
    void answersThroughAFault(Fault fault) {
        try (RedisProcess redis = RedisProcess.start();
                FaultyProxy proxy = new FaultyProxy(redis.port());
                FaultLoad load = FaultLoad.on(proxy.port());
                LogLines lines = new LogLines()) {
            load.runUntilWell("start", () -> {});

            Phase well = load.run("well", 0);
            assertThat(well.admitted("steady")).isEqualTo(well.tried("steady"));
            for (String each : new String[] {"local", "deny", "allow", "both"}) {
                assertThat(well.admitted(each)).as(each).isEqualTo(CAPACITY);
            }

            Phase struck = load.run("struck", 0, () -> fault.strike(redis, proxy));
            assertThat(struck.admitted("deny")).isLessThanOrEqualTo(CAPACITY);
            // What Redis has just admitted to the other threads may not be taken from the bucket here yet.
            assertThat(struck.admitted("local")).isBetween((long) CAPACITY, (long) CAPACITY + FaultLoad.THREADS);
            assertThat(struck.admitted("spent")).isZero(); // what Redis admitted was taken here, too

            Phase held = load.run("held", Proofs.FAULT_MILLIS);
            assertThat(held.admitted("steady")).isZero();
            assertThat(held.admitted("deny")).isZero();
            assertThat(held.admitted("local")).isEqualTo(CAPACITY);
            assertThat(held.admitted("allow")).isEqualTo(held.tried("allow"));
            assertThat(held.admitted("spent")).isZero();
            assertThat(held.admitted("both")).isZero();

            Phase healed = load.runUntilWell("healed", () -> fault.heal(redis, proxy));
            assertThat(healed.admitted("local")).isBetween((long) CAPACITY, 2L * CAPACITY);
            assertThat(healed.admitted("spent")).isLessThanOrEqualTo(fault.loses() ? CAPACITY : 0);

            Phase wellAgain = load.run("well again", 0);
            assertThat(wellAgain.admitted("steady")).isEqualTo(wellAgain.tried("steady"));
            assertThat(wellAgain.admitted("local")).isEqualTo(CAPACITY);
            assertThat(load.thrown()).isEmpty();
            assertThat(redis.keysWithoutTtl()).isZero();
            Proofs.report(fault.name(), load, healed);
            assertThat(lines.of("dev.ratelimit")).isLessThanOrEqualTo(LINES);
        }
    }

    /** A connection that a router forgot looks open, and never passes a byte again. */
    @Test
    void leavesAConnectionThatIsStranded() {
        try (RedisProcess redis = RedisProcess.start();
                FaultyProxy proxy = new FaultyProxy(redis.port());
                FaultLoad load = FaultLoad.on(proxy.port());
                LogLines lines = new LogLines()) {
            load.runUntilWell("start", () -> {});

            Phase healed = load.runUntilWell("stranded", proxy::strand);

            assertThat(load.thrown()).isEmpty();
            Proofs.report("STRANDED", load, healed);
            assertThat(lines.of("dev.ratelimit")).isLessThanOrEqualTo(LINES);
        }
    }

    @Test
    void survivesAnswersThatBreakOff() {
        try (RedisProcess redis = RedisProcess.start();
                FaultyProxy proxy = new FaultyProxy(redis.port());
                FaultLoad load = FaultLoad.on(proxy.port());
                LogLines lines = new LogLines()) {
            load.runUntilWell("start", () -> {});

            Phase healed = null;
            for (int i = 0; i < 3; i++) {
                healed = load.runUntilWell("broken off " + i, () -> proxy.resetAfter(1000));
                assertThat(healed.admitted("deny")).isLessThanOrEqualTo(CAPACITY);
            }

            assertThat(load.thrown()).isEmpty();
            Proofs.report("BROKEN_OFF", load, healed);
            assertThat(lines.of("dev.ratelimit")).isLessThanOrEqualTo(LINES);
        }
    }

    @Test
    void missesNothingWhileScriptsAreFlushed() {
        ScheduledExecutorService storm = Executors.newSingleThreadScheduledExecutor();
        try (RedisProcess redis = RedisProcess.start();
                FaultLoad load = FaultLoad.on(redis.port());
                LogLines lines = new LogLines()) {
            load.runUntilWell("start", () -> {});
            storm.scheduleAtFixedRate(() -> redis.call("SCRIPT", "FLUSH"), 0, 10, TimeUnit.MILLISECONDS);

            Phase held = load.run("flushed", Proofs.FAULT_MILLIS);

            assertThat(held.admitted("steady")).isEqualTo(held.tried("steady"));
            assertThat(held.admitted("deny")).isEqualTo(CAPACITY);
            assertThat(load.thrown()).isEmpty();
            Proofs.report("FLUSHED", load, held);
            assertThat(lines.of("dev.ratelimit")).isLessThanOrEqualTo(LINES);
        } finally {
            storm.shutdownNow();
        }
    }
}
