package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GcraTest {

    @ParameterizedTest
    @CsvSource({
        "100/1m, 1, 600000000",
        "7/s, 7, 1000000000",
        "999/s, 999, 1000000000",
        "60/s, 3, 50000000",
        "1/1ns, 1, 1",
        "1000/1001ns, 1000, 1001"
    })
    void countsInTicksThatDivideBothANanosecondAndATokenInterval(String limit, long ticksPerNano, long ticksPerToken) {
        Gcra gcra = new Gcra(Limit.parse(limit));

        assertThat(gcra.ticksPerNano).isEqualTo(ticksPerNano);
        assertThat(gcra.ticksPerToken).isEqualTo(ticksPerToken);
    }

    @ParameterizedTest
    @CsvSource({"1001/1002ns, 1000, 1001", "1999/4us, 999, 1999", "1000003/s, 667, 666998"})
    void countsAtMostAThousandTicksANanosecondAndTakesTheNearestRate(
            String limit, long ticksPerNano, long ticksPerToken) {
        countsInTicksThatDivideBothANanosecondAndATokenInterval(limit, ticksPerNano, ticksPerToken);
    }

    @ParameterizedTest
    @CsvSource({
        "1/2305843009213693952ns burst 1, 1",
        "2/4611686018427387903ns burst 1, 1",
        "1/1ns burst 2305843009213693952, 1",
        "997/365d, 39",
        "1000/1001ns burst 2000000000000000, 1000",
        "1000/1001ns burst 2400000000000000, 959"
    })
    void countsInCoarserTicksWhereABurstWouldNotFit(String limit, long ticksPerNano) {
        Gcra gcra = new Gcra(Limit.parse(limit));

        assertThat(gcra.ticksPerNano).isEqualTo(ticksPerNano);
        assertThat(gcra.burst).isPositive().isLessThanOrEqualTo(1L << 61);
        assertThat(shortfall(Limit.parse(limit))).isNotNegative();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1001/s", "999983/s", "1009/1m", "65537/1s", "1000003/7d burst 3", "997/365d"})
    void isNeverAboveTheRateAndAtMostAMillionthBelowUpToAMillionTokensASecond(String text) {
        assertThat(shortfall(Limit.parse(text))).isBetween(BigDecimal.ZERO, new BigDecimal("1e-6"));
    }

    @Test
    void isNeverAboveAnyRateAndLowByLessThanAThousandthOfATokenInterval() {
        Random random = new Random(1);
        for (int i = 0; i < 300; i++) {
            long periodNanos = 1 + (random.nextLong() >>> (15 + random.nextInt(40)));
            Limit limit = new Limit(1, 1 + random.nextLong(periodNanos), Duration.ofNanos(periodNanos));
            BigDecimal interval = BigDecimal.valueOf(periodNanos)
                    .divide(BigDecimal.valueOf(limit.refillTokens()), MathContext.DECIMAL128);

            assertThat(shortfall(limit))
                    .as(limit.toString())
                    .isBetween(BigDecimal.ZERO, new BigDecimal("1e-3").divide(interval, MathContext.DECIMAL128));
        }
    }

    /** Returns by which part of it the rate that is kept is below the one that was asked for; negative if above. */
    private static BigDecimal shortfall(Limit limit) {
        Gcra gcra = new Gcra(limit);
        BigInteger asked = BigInteger.valueOf(limit.refillTokens()).multiply(BigInteger.valueOf(gcra.ticksPerToken));
        BigInteger kept = BigInteger.valueOf(gcra.ticksPerNano)
                .multiply(BigInteger.valueOf(limit.refillPeriod().toNanos()));
        return new BigDecimal(asked.subtract(kept))
                .divide(new BigDecimal(asked), new MathContext(40, RoundingMode.FLOOR));
    }
}
