package dev.ratelimit;

import java.util.HashMap;
import java.util.Map;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

class LocalRateLimiterLincheckTest {
    @Test
    void forgetsNoDebtOfAKeyThatIsEvictedWhileItConsumes() {
        Interleavings.check(
                Interleavings.modelled(Decision.class, Gcra.class, Limit.class, Policy.class, Terms.class)
                        // Lincheck can't look into the SecureRandom that is used there, and nothing races for it.
                        .addGuarantee(ManagedStrategyGuaranteeKt.forClasses("dev.ratelimit.DebtLedger")
                                .methods("<init>")
                                .ignore())
                        .sequentialSpecification(CallsWithoutEviction.class),
                CallsWithRoomForOneKey.class);
    }

    @Test
    void forgetsNoDebtOfAKeyThatIsEvictedWhileItConsumesOnRealThreads() {
        Interleavings.check(
                Interleavings.onRealThreads().sequentialSpecification(CallsWithoutEviction.class),
                CallsWithRoomForOneKey.class);
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
