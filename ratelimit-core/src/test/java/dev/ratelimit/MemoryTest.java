package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Bounded memory, each in a JVM of its own. */
class MemoryTest {

    @Test
    void takesAtMost256BytesAKeyWithEverythingIncluded() throws Exception {
        String printed = Jvm.run(List.of("-Xmx1g", "-XX:+UseSerialGC"), BytesPerKey.class);

        assertThat(Long.parseLong(printed)).isBetween(100L, 256L);
    }

    @Test
    void survivesTenMillionKeysInASmallHeap() throws Exception {
        String printed = Jvm.run(List.of("-Xmx256m", "-XX:+UseSerialGC"), TenMillionKeys.class);

        assertThat(printed).isEqualTo("survived");
    }

    private static String address(int i) {
        return (i >>> 24) + "." + (i >>> 16 & 0xff) + "." + (i >>> 8 & 0xff) + "." + (i & 0xff);
    }

    /** Prints the bytes that each of a million addresses takes, its text and the ledger included. */
    static final class BytesPerKey {
        private static final int KEYS = 1_000_000;

        public static void main(String[] args) {
            Policy policy = Policy.of("api", Limit.parse("100/1d"));
            LocalRateLimiter limiter =
                    LocalRateLimiter.builder().maximumKeys(KEYS).build();
            limiter.tryConsume(policy, "warm", 1);
            long before = used();
            for (int i = 0; i < KEYS + KEYS / 10; i++) { // some more, so that there are debts to keep
                limiter.tryConsume(policy, address(0x0A00_0000 + i), 1);
            }
            long keys = limiter.keys(policy);
            System.out.println((used() - before) / keys);
            limiter.tryConsume(policy, "alive", 1);
        }

        private static long used() {
            for (int i = 0; i < 3; i++) {
                System.gc();
            }
            return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
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
