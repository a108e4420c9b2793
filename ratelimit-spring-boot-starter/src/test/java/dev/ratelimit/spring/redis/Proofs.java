package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.redis.FaultLoad.Latencies;
import dev.ratelimit.spring.redis.FaultLoad.Phase;
import java.time.Duration;

/** What differs between {@code mvn verify}, where no outcome depends on the machine's speed, and the profile proofs. */
final class Proofs {
    /** Whether to hold against the promises about time, too. */
    static final boolean ON = Boolean.getBoolean("redis.proofs");

    /** For a decision: what is promised, or what even a busy machine keeps to as long as Redis is there. */
    static final Duration TIMEOUT = Duration.ofMillis(ON ? 100 : 1000);

    /** How long a fault holds. */
    static final long FAULT_MILLIS = Long.getLong("redis.fault-millis", 100);

    private Proofs() {}

    /** Prints how a load went, of which the last phase was {@code healed}. */
    static void report(String fault, FaultLoad load, Phase healed) {
        Latencies latencies = load.latencies();
        System.out.printf(
                "%-12s %7d calls: median %.3f ms, p99.9 %.1f ms, longest %.1f ms; well again after %d ms%n",
                fault,
                latencies.count(),
                latencies.millis(0.5),
                latencies.millis(0.999),
                latencies.millis(1),
                healed.recoveryMillis());
        if (ON) {
            assertThat(latencies.millis(0.999)).as("p99.9").isLessThanOrEqualTo(120);
            assertThat(healed.recoveryMillis()).as("milliseconds until well").isLessThanOrEqualTo(2000);
        }
    }
}
