package dev.ratelimit.spring.redis;

import static dev.ratelimit.spring.redis.FaultLoad.CAPACITY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.redis.FaultLoad.Phase;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever happens to Redis, the limiter answers, and admits no more than the failure policy says. */
class FaultMatrixTest {
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
            lines.requireFew();
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
            lines.requireFew();
        }
    }

    @Test
    void survivesAnswersThatBreakOff() {
        try (RedisProcess redis = RedisProcess.start();
                FaultyProxy proxy = new FaultyProxy(redis.port());
                FaultLoad load = FaultLoad.on(proxy.port());
                LogLines lines = new LogLines()) {
            load.runUntilWell("start", () -> {});

            for (int i = 0; i < 3; i++) {
                Phase healed = load.runUntilWell("broken off " + i, () -> proxy.resetAfter(1000));
                assertThat(healed.admitted("deny")).isLessThanOrEqualTo(CAPACITY);
                Proofs.report("BROKEN_OFF", load, healed);
            }

            assertThat(load.thrown()).isEmpty();
            lines.requireFew();
        }
    }

    @Test
    void missesNothingWhileScriptsAreFlushed() {
        ScheduledExecutorService storm = Executors.newSingleThreadScheduledExecutor();
        try (RedisProcess redis = RedisProcess.start();
                FaultLoad load = FaultLoad.on(redis.port());
                LogLines lines = new LogLines()) {
            load.runUntilWell("start", () -> {});
            Future<?> flushing =
                    storm.scheduleAtFixedRate(() -> redis.call("SCRIPT", "FLUSH"), 0, 10, TimeUnit.MILLISECONDS);

            Phase held = load.run("flushed", Proofs.FAULT_MILLIS);

            assertThat(flushing).isNotDone();
            assertThat(redis.calls("eval")).isPositive();
            assertThat(held.admitted("steady")).isEqualTo(held.tried("steady"));
            assertThat(held.admitted("deny")).isEqualTo(CAPACITY);
            assertThat(load.thrown()).isEmpty();
            Proofs.report("FLUSHED", load, held);
            lines.requireFew();
        } finally {
            storm.shutdownNow();
        }
    }
}
