package dev.ratelimit.benchmarks;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.Policy;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** One decision for one of 131,072 keys that an attacker chose so that all of them have one hash code. */
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init")
public class CollidingKeysBenchmark extends NanosPerDecision {
    private static final int PAIRS = 17;
    private static final int KEYS = 1 << PAIRS;

    /** Two pairs of letters that keys are made of: of one hash code, or not. */
    public enum Pairs {
        COLLIDING("Aa", "BB"),
        DIFFERENT("Aa", "Bb");

        private final String zero;
        private final String one;

        Pairs(String zero, String one) {
            this.zero = zero;
            this.one = one;
        }

        private String key(int number) {
            return IntStream.range(0, PAIRS)
                    .mapToObj(bit -> (number >>> bit & 1) == 0 ? zero : one)
                    .collect(Collectors.joining());
        }
    }

    @Param
    Pairs pairs;

    private final LocalRateLimiter limiter =
            LocalRateLimiter.builder().maximumKeys(KEYS).build();
    private final Policy policy = Policy.of("benchmark", Work.ADMIT.limitOfKeys());
    private String[] keys;
    private int next;

    @Setup
    public void setUp() {
        List<String> shuffled = IntStream.range(0, KEYS).mapToObj(pairs::key).collect(Collectors.toList());
        Collections.shuffle(shuffled, new Random(20261123));
        keys = shuffled.toArray(String[]::new);
        for (String key : keys) {
            limiter.tryConsume(policy, key, 1);
        }
    }

    @Benchmark
    public boolean decide() {
        return limiter.tryConsume(policy, keys[next++ & KEYS - 1], 1).allowed();
    }
}
