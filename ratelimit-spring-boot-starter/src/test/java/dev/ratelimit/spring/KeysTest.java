package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KeysTest {
    private static final String ALPHABET = ".-:{}/ 0123\0ip";

    @Test
    void tellsTuplesOfSeparatorsApart() {
        Random random = new Random(4);
        Map<String, List<String>> tuples = new HashMap<>();
        for (int i = 0; i < 200_000; i++) {
            List<String> tuple = random.nextBoolean()
                    ? List.of(text(random), text(random))
                    : List.of(text(random), text(random), text(random));
            String key = tuple.size() == 2
                    ? Keys.of(tuple.get(0), tuple.get(1))
                    : Keys.of(tuple.get(0), tuple.get(1), tuple.get(2));
            List<String> twin = tuples.put(key, tuple);
            if (twin != null) {
                assertThat(twin).isEqualTo(tuple);
            }
        }
        assertThat(tuples).hasSizeGreaterThan(100_000);
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int length = random.nextInt(4); length > 0; length--) {
            text.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return text.toString();
    }

    @Test
    void tellsAUserFromAnAddressAndFromBoth() {
        assertThat(List.of(
                        Keys.of("principal", "127.0.0.1"),
                        Keys.of("ip", "127.0.0.1"),
                        Keys.of("principal", "a") + Keys.of("ip", "b"),
                        Keys.of("principal", "a2:ip1:b"),
                        Keys.of("header", "a", "b"),
                        Keys.of("cookie", "a", "b"),
                        Keys.GLOBAL,
                        Keys.UNATTRIBUTED))
                .doesNotHaveDuplicates();
    }
}
