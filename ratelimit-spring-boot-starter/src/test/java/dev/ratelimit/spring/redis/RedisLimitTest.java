package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import java.math.BigInteger;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RedisLimitTest {
    private final SplittableRandom random = new SplittableRandom();

    private Limit limit() {
        long period = 1 + random.nextLong(1L << random.nextInt(1, 52));
        long refill = 1 + random.nextLong(Math.min(period, 1L << random.nextInt(1, 40)));
        long most = Math.min(1L << 40, (1L << 61) / (period / refill + 1));
        return new Limit(1 + random.nextLong(Math.max(1, most)), refill, Duration.ofNanos(period));
    }

    @Test
    void isNeverFasterThanAskedAndHardlySlower() {
        int read = 0;
        for (int i = 0; i < 500; i++) {
            Limit limit = limit();
            RedisLimit actual;
            try {
                actual = new RedisLimit(limit);
            } catch (IllegalArgumentException tooLarge) {
                continue;
            }
            read++;
            BigInteger asked = BigInteger.valueOf(limit.refillTokens())
                    .multiply(BigInteger.valueOf(1_000))
                    .multiply(BigInteger.valueOf(actual.ticksPerToken));
            BigInteger kept = BigInteger.valueOf(actual.ticksPerMicro)
                    .multiply(BigInteger.valueOf(limit.refillPeriod().toNanos()));
            assertThat(kept).as("%s", limit).isLessThanOrEqualTo(asked);
            assertThat(asked.subtract(kept).multiply(BigInteger.valueOf(1_000)))
                    .as("%s", limit)
                    .isLessThanOrEqualTo(asked);
            if (actual.ticksPerToken >= 1_000_000 && limit.capacity() < 1_000) {
                assertThat(asked.subtract(kept).multiply(BigInteger.valueOf(1_000_000)))
                        .as("%s", limit)
                        .isLessThanOrEqualTo(kept);
            }
        }
        assertThat(read).isGreaterThan(100);
    }

    @Test
    void keepsUsualLimitsAsTheyAre() {
        for (String text : new String[] {"100/1m", "5000/1d", "7/s", "1000000/s", "999/s burst 5", "1/365d", "3/1us"}) {
            Limit limit = Limit.parse(text);
            RedisLimit actual = new RedisLimit(limit);
            assertThat(BigInteger.valueOf(actual.ticksPerMicro)
                            .multiply(BigInteger.valueOf(limit.refillPeriod().toNanos())))
                    .as(text)
                    .isEqualTo(BigInteger.valueOf(limit.refillTokens())
                            .multiply(BigInteger.valueOf(1_000 * actual.ticksPerToken)));
        }
    }

    @Test
    void decidesAsABucketOfThisProcess() {
        for (int i = 0; i < 300; i++) {
            long refill = 1 + random.nextLong(1_000);
            long period = 1 + random.nextLong(1L << random.nextInt(1, 40));
            Limit limit = new Limit(1 + random.nextInt(1_000), refill, Duration.ofNanos(1_000 * period));
            Policy policy = Policy.of("p", limit);
            RedisPolicy inRedis = new RedisPolicy(policy, 1);
            ManualClock clock = new ManualClock(random.nextLong());
            LocalRateLimiter local = LocalRateLimiter.builder().clock(clock).build();
            long[] debts = {0};
            for (int step = 0; step < 20; step++) {
                long tokens = 1 + random.nextLong(limit.capacity() + 1);
                var expected = local.tryConsume(policy, "k", tokens);
                var actual = inRedis.decide(debts, tokens, 0);
                assertThat(actual.allowed()).isEqualTo(expected.allowed());
                assertThat(actual.remaining()).isEqualTo(expected.remaining());
                assertThat(actual.never()).isEqualTo(expected.never());
                if (!actual.never()) {
                    assertThat(actual.retryAfterNanos() - expected.retryAfterNanos())
                            .isBetween(0L, 999L);
                }
                assertThat(actual.resetAfterNanos() - expected.resetAfterNanos())
                        .isBetween(0L, 999L);
                debts = actual.allowed() ? inRedis.charged(debts, tokens) : debts;
                long micros = random.nextLong(1 + actual.resetAfterNanos() / 1_000);
                clock.advance(Duration.ofNanos(1_000 * micros));
                debts = inRedis.paid(debts, micros);
            }
        }
    }

    @Test
    void refusesWhatAScriptCannotCount() {
        Policy fits = Policy.of("api", Limit.parse("1/1us burst 2000000000000000"));
        Policy tooLarge = Policy.of("api", Limit.parse("1/s"), Limit.parse("1/2ns burst 1000000000000000000"));

        RedisRateLimiter.requireFitting(fits, 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RedisRateLimiter.requireFitting(tooLarge, 1))
                .withMessageStartingWith("too large for Redis")
                .withMessageEndingWith("1/2ns burst 1000000000000000000");
    }

    @Test
    void refusesARateThatWouldBeMuchLower() {
        Policy near = Policy.of("api", Limit.parse("999999/s burst 4000000000000"));
        Policy low = Policy.of("api", Limit.parse("999999/s burst 2000000000000000"));

        RedisRateLimiter.requireFitting(near, 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RedisRateLimiter.requireFitting(low, 1))
                .withMessageContaining("low by more than a thousandth")
                .withMessageEndingWith("999999/1s burst 2000000000000000");
    }
}
