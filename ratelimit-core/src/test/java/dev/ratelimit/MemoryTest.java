package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bounded memory, each in a JVM of its own. */
class MemoryTest {

    @ParameterizedTest
    @CsvSource({"1, 1, 200", "20, 3, 256", "20, 4, 272"})
    void takesFewBytesAKeyWithEverythingIncluded(String plans, String limits, long most) throws Exception {
        String printed = Jvm.run(List.of("-Xmx1g", "-XX:+UseSerialGC"), BytesPerKey.class, plans, limits);

        assertThat(Long.parseLong(printed)).isBetween(100L, most);
    }

    @Test
    void survivesTenMillionKeysInASmallHeap() throws Exception {
        String printed = Jvm.run(List.of("-Xmx256m", "-XX:+UseSerialGC"), TenMillionKeys.class);

        assertThat(printed).isEqualTo("survived");
    }

    @Test
    void survivesLongKeysInASmallerHeap() throws Exception {
        String printed = Jvm.run(List.of("-Xmx32m", "-XX:+UseSerialGC"), LongKeys.class);

        assertThat(printed).isEqualTo("survived");
    }

    private static String address(int i) {
        return (i >>> 24) + "." + (i >>> 16 & 0xff) + "." + (i >>> 8 & 0xff) + "." + (i & 0xff);
    }

    /** Prints the bytes that each of many addresses takes, its text and all ledgers included. */
    static final class BytesPerKey {
        /** Just above a power of two, where tables that double are emptiest. */
        private static final int KEYS = 530_000;

        public static void main(String[] args) {
            Policy[] plans = new Policy[Integer.parseInt(args[0])];
            Arrays.setAll(plans, plan -> plan(plan, Integer.parseInt(args[1])));
            LocalRateLimiter limiter =
                    LocalRateLimiter.builder().maximumKeys(KEYS).build();
            limiter.tryConsume(plans[0], "warm", 1);
            long before = used();
            for (int i = 0; i < KEYS + KEYS / 10; i++) { // some more, so that there are debts to keep
                limiter.tryConsume(plans[i % plans.length], address(0x0A00_0000 + i), 1);
            }
            long keys = limiter.keys(plans[0]);
            System.out.println((used() - before) / keys);
            limiter.tryConsume(plans[0], "alive", 1);
        }

        private static Policy plan(int plan, int limits) {
            return Policy.of(
                    "api",
                    IntStream.range(0, limits)
                            .mapToObj(i -> Limit.parse(100 + plan + "/" + (i + 1) + "d"))
                            .toArray(Limit[]::new));
        }

        private static long used() {
            for (int i = 0; i < 3; i++) {
                System.gc();
            }
            return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
        }
    }

    /** Asks for, and charges, as many long keys as would fill the heap twice. */
    static final class LongKeys {
        private static final int KEYS = 1_000;

        public static void main(String[] args) {
            Policy policy = Policy.of("api", Limit.parse("100/1d"));
            LocalRateLimiter limiter = LocalRateLimiter.builder().build();
            String filler = "x".repeat(1 << 16);
            for (int i = 0; i < KEYS; i += 2) {
                limiter.tryConsume(policy, filler + i, 1);
                limiter.charge(policy, filler + (i + 1), 1);
            }
            System.out.println(limiter.keys(policy) == KEYS ? "survived" : "too few keys");
        }
    }

    /** Asks for ten million keys. */
    static final class TenMillionKeys {

        public static void main(String[] args) {
            Policy policy = Policy.of("api", Limit.parse("100/1d"), Limit.parse("10/1s"));
            LocalRateLimiter limiter = LocalRateLimiter.builder().build();
            for (int i = 0; i < 10_000_000; i++) {
                limiter.tryConsume(policy, address(i), 1);
            }
            System.out.println(limiter.keys(policy) <= 100_000 ? "survived" : "too many keys");
        }
    }
}
