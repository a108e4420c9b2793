package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LimitTest {

    @ParameterizedTest
    @CsvSource({
        "100/1m, 100, 100, PT1M",
        "10/s, 10, 10, PT1S",
        "100/1m burst 200, 200, 100, PT1M",
        "5000/1d, 5000, 5000, P1D",
        "3/10ns, 3, 3, PT0.00000001S",
        "7/90s, 7, 7, PT1M30S",
        "' 5 / 2H BURST 1 ', 1, 5, PT2H",
        "1/250us, 1, 1, PT0.00025S",
        "1/ms, 1, 1, PT0.001S"
    })
    void readsItsTextForm(String text, long capacity, long refillTokens, Duration refillPeriod) {
        assertThat(Limit.parse(text)).isEqualTo(new Limit(capacity, refillTokens, refillPeriod));
    }

    @ParameterizedTest
    @CsvSource({"100/60s, 100/1m", "10/s, 10/1s", "100/1m burst 200, 100/1m burst 200", "7/90s, 7/90s", "5/24h, 5/1d"})
    void writesTheShortestTextForm(String text, String canonical) {
        assertThat(Limit.parse(text)).hasToString(canonical);
    }

    @Test
    void isReadBackFromItsOwnText() {
        Random random = new Random(42);
        for (int i = 0; i < 100_000; i++) {
            long periodNanos = 1 + (random.nextLong() >>> (23 + random.nextInt(40)));
            long refill = 1 + random.nextLong(periodNanos);
            long capacity = 1L + random.nextInt(1_000_000);
            Limit limit = Limit.of(Math.min(refill, 1_000_000), Duration.ofNanos(periodNanos));
            limit = random.nextBoolean() ? limit : limit.withCapacity(capacity);

            assertThat(Limit.parse(limit.toString())).isEqualTo(limit);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "100",
                "100/",
                "/1m",
                "-1/s",
                "1.5/s",
                "100/1w",
                "100/1m burst",
                "100/1m burst x",
                "100 per 1m"
            })
    void refusesWhatIsNoLimit(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Limit.parse(text))
                .withMessage("not a limit: \"" + text + "\"; write tokens/period, as in 100/1m or 100/1m burst 200");
    }

    @ParameterizedTest
    @CsvSource({
        "0/s, capacity must be positive: 0",
        "5/0s, refillPeriod must be positive: PT0S",
        "5/s burst 0, capacity must be positive: 0",
        "11/10ns, the rate must be at most one token a nanosecond: 11 tokens in 10 ns",
        "9999999999999999999/s, a number is too large for 64 bits in the limit \"9999999999999999999/s\"",
        "1/200000d, a number is too large for 64 bits in the limit \"1/200000d\"",
    })
    void saysWhichPartIsOutOfRange(String text, String message) {
        assertThatIllegalArgumentException().isThrownBy(() -> Limit.parse(text)).withMessage(message);
    }

    @Test
    void refusesPartsThatSixtyFourBitsCannotHold() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Limit(Long.MAX_VALUE, 1, Duration.ofDays(1)))
                .withMessage("capacity times token interval must be at most 2^61 ns, 73 years:"
                        + " 9223372036854775807 times 86400000000000 ns");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Limit.of(1, Duration.ofDays(365 * 300)))
                .withMessage("refillPeriod must be at most 292 years: PT2628000H");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Limit(1, 0, Duration.ofDays(1)))
                .withMessage("refillTokens must be positive: 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Limit(1, 1, Duration.ofDays(-1)))
                .withMessage("refillPeriod must be positive: PT-24H");
    }

    @Test
    void changesItsCapacityAlone() {
        assertThat(Limit.of(100, Duration.ofMinutes(1)).withCapacity(200)).isEqualTo(Limit.parse("100/1m burst 200"));
    }
}
