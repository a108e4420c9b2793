package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class StatsTest {
    private static final int ROOM = 1_000;

    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final LocalRateLimiter limiter =
            LocalRateLimiter.builder().maximumKeys(ROOM).clock(clock).build();
    private final Policy policy = Policy.of("api", Limit.parse("5/1m"), Limit.parse("50/1d"));

    @Test
    void hasNothingToSayOfAPolicyNobodyAskedFor() {
        assertThat(limiter.stats(policy)).isEqualTo(new LocalRateLimiter.Stats(0, 0, 0));
        assertThat(limiter.toString()).doesNotContain("api");
    }

    @Test
    void countsTheKeysThatAreTracked() {
        ask(600);

        assertThat(limiter.stats(policy)).isEqualTo(new LocalRateLimiter.Stats(600, 0, 0));
    }

    @Test
    void countsEachEvictionInDebtAndTheShareOfTheLedgerThatItTook() {
        ask(ROOM + 410);

        LocalRateLimiter.Stats stats = limiter.stats(policy);
        assertThat(stats.keys()).isEqualTo(ROOM);
        assertThat(stats.evictionsInDebt()).isEqualTo(410);
        assertThat(stats.ledgerFill()).isBetween(0.05, 410 / 4_096.0); // some of them share a cell
    }

    @Test
    void emptiesTheLedgerAsDebtsArePaidAndKeepsTheCount() {
        ask(ROOM + 410);
        clock.advance(Duration.ofDays(1));

        assertThat(limiter.stats(policy).ledgerFill()).isZero();
        assertThat(limiter.stats(policy).evictionsInDebt()).isEqualTo(410);
    }

    @Test
    void estimatesHowFullALargeLedgerIs() {
        LocalRateLimiter large =
                LocalRateLimiter.builder().maximumKeys(60_000).clock(clock).build();
        for (int key = 0; key < 90_000; key++) {
            large.tryConsume(policy, "k" + key, 1);
        }

        double expected = 1 - Math.exp(-1); // of 30,000 debts in as many cells
        assertThat(large.stats(policy).evictionsInDebt()).isEqualTo(30_000);
        assertThat(large.stats(policy).ledgerFill()).isCloseTo(expected, within(0.05));
    }

    private void ask(int keys) {
        for (int key = 0; key < keys; key++) {
            limiter.tryConsume(policy, "k" + key, 1);
        }
    }
}
