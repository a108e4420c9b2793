package dev.ratelimit;

import java.util.HashMap;
import java.util.Map;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.junit.jupiter.api.Test;

class LocalRateLimiterLincheckTest {
    /** A call takes so many more steps here than in a bucket that a race is found less often. */
    private static final int INVOCATIONS = 2 * Interleavings.INVOCATIONS;

    @Test
    void forgetsNoDebtOfAKeyThatIsEvictedWhileItConsumes() {
        Interleavings.of(new ModelCheckingOptions())
                .invocationsPerIteration(INVOCATIONS)
                // Lincheck can't look into the SecureRandom that is used there, and nothing races for it.
                .addGuarantee(ManagedStrategyGuaranteeKt.forClasses("dev.ratelimit.DebtLedger")
                        .methods("<init>")
                        .ignore())
                .sequentialSpecification(CallsWithoutEviction.class)
                .check(CallsWithRoomForOneKey.class);
    }

    @Test
    void forgetsNoDebtOfAKeyThatIsEvictedWhileItConsumesOnRealThreads() {
        Interleavings.of(new StressOptions())
                .invocationsPerIteration(INVOCATIONS)
                .sequentialSpecification(CallsWithoutEviction.class)
                .check(CallsWithRoomForOneKey.class);
    }

    @Param(name = "key", gen = IntGen.class, conf = "1:2")
    public static final class CallsWithRoomForOneKey {
        private final Policy policy = Policy.of("api", Limit.parse("1/1d"));
        private final RateLimiter limiter =
                LocalRateLimiter.builder().maximumKeys(1).clock(() -> 0).build();

        @Operation
        public boolean tryConsume(@Param(name = "key") int key) {
            return limiter.tryConsume(policy, "key" + key, 1).allowed();
        }
    }

    public static final class CallsWithoutEviction {
        private final Map<Integer, Boolean> consumed = new HashMap<>();

        public boolean tryConsume(int key) {
            return consumed.put(key, true) == null;
        }
    }
}
