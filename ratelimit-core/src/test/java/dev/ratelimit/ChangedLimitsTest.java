package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass
@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL")
class ChangedLimitsTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final Synchronization synchronization;
    private final LocalRateLimiter limiter;

    ChangedLimitsTest(Synchronization synchronization) {
        this.synchronization = synchronization;
        limiter = limiter(100);
    }

    private LocalRateLimiter limiter(long maximumKeys) {
        return LocalRateLimiter.builder()
                .maximumKeys(maximumKeys)
                .synchronization(synchronization)
                .clock(clock)
                .build();
    }

    private static Policy policy(String... limits) {
        return Policy.of("api", Stream.of(limits).map(Limit::parse).toArray(Limit[]::new));
    }

    private long tokens(Policy policy) {
        return limiter.peek(policy, "k", Long.MAX_VALUE).remaining();
    }

    @ParameterizedTest
    @CsvSource({
        "10/1m, 4, 20/1m, 6",
        "10/1m, 4, 5/1m, 5",
        "10/1m, 10, 20/1m, 0",
        "10/1m, 1, 10/1h burst 100, 9",
        "10/1m, 7, 999983/1s, 3"
    })
    void keepsTheTokensItHadAsFarAsTheyFit(String before, long consumed, String after, long kept) {
        limiter.tryConsume(policy(before), "k", consumed);

        assertThat(tokens(policy(after))).isEqualTo(kept);
        limiter.tryConsume(policy(after), "k", Math.max(1, kept));
        assertThat(tokens(policy(after))).isZero();
    }

    @Test
    void keepsTheFractionOfATokenToo() {
        Policy slow = policy("1/1h");
        Policy slower = policy("1/2h");
        limiter.tryConsume(slow, "k", 1);
        // a minute brings a 60th of a token, and then a 120th: a token in forty rounds
        for (int round = 1; round <= 40; round++) {
            clock.advance(Duration.ofMinutes(1));
            assertThat(limiter.tryConsume(slower, "k", 1).allowed()).isFalse();
            clock.advance(Duration.ofMinutes(1));
            assertThat(limiter.tryConsume(slow, "k", 1).allowed()).isEqualTo(round == 40);
        }
    }

    @Test
    void isNotChangedByALook() {
        limiter.tryConsume(policy("100/1m"), "k", 1);

        assertThat(tokens(policy("5/1m"))).isEqualTo(5);
        assertThat(tokens(policy("100/1m"))).isEqualTo(99);
    }

    @Test
    void goesOnFromTheFewestTokensWhereTheNumberOfLimitsChanges() {
        limiter.tryConsume(policy("10/1m", "100/1h"), "k", 8);

        assertThat(tokens(policy("50/1m"))).isEqualTo(2);
        assertThat(tokens(policy("10/1m", "100/1h", "1000/1d"))).isEqualTo(2);
    }

    @Test
    void givesNothingBackThatMayHaveFlowedInUnderOtherLimits() {
        Policy slow = policy("100/1d");
        Policy fast = policy("100/1s");
        Charges charges = new Charges();
        limiter.reserve(slow, "k", 100, 0, charges);
        limiter.tryConsume(fast, "k", 1);
        clock.advance(Duration.ofSeconds(1));
        assertThat(limiter.tryConsume(slow, "k", 100).allowed()).isTrue();

        limiter.undo(slow, "k", charges);
        assertThat(tokens(slow)).isZero();
    }

    @Test
    void givesNothingBackThatFlowedInUnderOtherLimitsThoughTheKeyWasForgottenSince() {
        Policy slow = policy("100/1d");
        Policy fast = policy("100/1s");
        Charges charges = new Charges();
        limiter.reserve(slow, "k", 100, 0, charges);
        limiter.tryConsume(fast, "k", 1);
        flood(fast, 1_000);
        clock.advance(Duration.ofSeconds(3)); // with those that a ledger is careful by
        assertThat(limiter.tryConsume(slow, "k", 100).allowed()).isTrue();

        limiter.undo(slow, "k", charges);
        assertThat(tokens(slow)).isZero();
    }

    @Test
    void givesNoFreeBurstHoweverOftenLimitsChange() {
        Random random = new Random(11);
        String[] choices = {"10/1m", "20/1m", "5/1m burst 50", "7/1s", "1000/1h"};
        for (int run = 0; run < 200; run++) {
            Policy current = policy(choices[random.nextInt(choices.length)]);
            String key = "k" + run;
            long held = limiter.peek(current, key, Long.MAX_VALUE).remaining();
            for (int step = 0; step < 50; step++) {
                long tokens = 1L + random.nextInt(10);
                held -= limiter.tryConsume(current, key, tokens).allowed() ? tokens : 0;
                current = policy(choices[random.nextInt(choices.length)]);
                long now = limiter.peek(current, key, Long.MAX_VALUE).remaining();
                assertThat(now)
                        .as("tokens after a change, with the clock at rest")
                        .isLessThanOrEqualTo(Math.max(0, held));
                held = now;
            }
        }
    }

    @Test
    void goesOnFromTheSameLimitWhereverItStandsNow() {
        limiter.tryConsume(policy("10/1m", "100/1h"), "k", 8);

        assertThat(tokens(policy("100/1h", "10/1m"))).isEqualTo(2);
        clock.advance(Duration.ofMinutes(1));
        assertThat(tokens(policy("100/1h", "10/1m"))).isEqualTo(10);
        limiter.tryConsume(policy("100/1h", "10/1m"), "k", 10);
        assertThat(tokens(policy("20/1m", "100/1h")))
                .as("the one that is gone had none")
                .isZero();
    }

    @Test
    void holdsAKeyToWhatItOwedUnderOtherLimitsThoughItWasEvicted() {
        Policy before = policy("10/1m");
        Policy after = policy("20/1m");
        limiter.tryConsume(before, "k", 10);
        for (int i = 0; i < 1_000; i++) {
            limiter.tryConsume(i % 2 == 0 ? before : after, "other" + i, 1);
        }

        assertThat(limiter.tryConsume(after, "k", 1).allowed()).isFalse();
        assertThat(limiter.peek(after, "k", 1).retryAfterNanos())
                .isEqualTo(Duration.ofSeconds(3).toNanos());
    }

    @ParameterizedTest
    @ValueSource(ints = {40, 5_000})
    void remembersWhatIsUsedUpThoughItIsFullUnderOtherLimits(int othersThatComeAndGo) {
        Policy large = policy("100/1h");
        Policy small = policy("10/1s");
        limiter.tryConsume(large, "k", 100);
        limiter.tryConsume(small, "k", 1);
        clock.advance(Duration.ofSeconds(3));
        for (int i = 0; i < othersThatComeAndGo; i++) {
            limiter.tryConsume(small, "other" + i, 1);
        }

        assertThat(tokens(large)).isLessThanOrEqualTo(10);
        clock.advance(Duration.ofHours(2));
        assertThat(limiter.keys(small)).isZero();
        assertThat(tokens(large)).isEqualTo(100);
    }

    @Test
    void remembersWhatIsUsedUpUnderOneOfMoreLimitsThanThereAreLedgers() {
        Policy large = policy("100/1h");
        Policy small = policy("10/1s");
        for (int capacity = 100; capacity < 108; capacity++) {
            flood(policy(capacity + "/1d"), 120);
        }
        for (int i = 0; i < 50; i++) {
            limiter.tryConsume(large, "k" + i, 100);
            limiter.tryConsume(small, "k" + i, 1);
        }
        clock.advance(Duration.ofSeconds(3));

        for (int i = 0; i < 50; i++) {
            assertThat(limiter.peek(small, "k" + i, 10).allowed()).isTrue();
            assertThat(limiter.peek(large, "k" + i, 11).allowed()).isFalse();
        }
    }

    @Test
    void remembersADebtThoughOtherLimitsTakeFarLongerToPay() {
        Policy free = policy("333/1s", "10000/30d");
        Policy paid = policy("333/1s", "20000/30d");
        limiter.tryConsume(paid, "other", 1);
        limiter.tryConsume(free, "k", 300);
        flood(free, 1_000);

        assertThat(tokens(free)).as("of 33, rounded to a nanosecond").isBetween(32L, 33L);
        clock.advance(Duration.ofSeconds(2));
        assertThat(tokens(free)).isEqualTo(333);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1_000})
    void givesNothingForAClockThatWentFarBackMeanwhile(int othersThatComeAndGo) {
        Policy before = policy("999/1s burst 99900");
        Policy after = policy("998/1s burst 99900");
        limiter.tryConsume(before, "k", 99_900);
        clock.advance(Duration.ofDays(-10));
        flood(before, othersThatComeAndGo);
        assertThat(tokens(after)).isZero();
        assertThat(limiter.tryConsume(after, "k", 1).allowed()).isFalse();
        clock.advance(Duration.ofDays(10));

        assertThat(tokens(before)).isZero();
    }

    private void flood(Policy policy, int keys) {
        for (int i = 0; i < keys; i++) {
            limiter.tryConsume(policy, "other" + i, 1);
        }
    }

    @Test
    void keepsFewLedgersForManyLimitsAndForgetsNoDebt() {
        for (int i = 0; i < 3_000; i++) {
            Policy policy = policy(10 + i % 200 + "/1d");
            long capacity = policy.limits().get(0).capacity();
            limiter.tryConsume(policy, "k" + i, capacity);
        }
        assertThat(limiter.ledgers(policy("10/1d"))).isEqualTo(5);
        for (int i = 0; i < 3_000; i++) {
            Policy policy = policy(10 + i % 200 + "/1d");
            assertThat(limiter.tryConsume(policy, "k" + i, 1).allowed()).isFalse();
        }
    }

    @Test
    void knowsWhoOwesWhatBeforeAndAfterForwardJumpsOfAnySize() {
        LocalRateLimiter limiter = limiter(/* maximumKeys= */ 1);
        for (int years : new int[] {1, 100, 219, 220, 292}) {
            for (int i = 0; i < 6; i++) {
                Policy policy = policy(10 + i + "/1d");
                limiter.tryConsume(policy, "k" + years + i, 10 + i);
                for (int other = 0; other < 10; other++) { // so few that hardly ever a new one meets their debts
                    limiter.tryConsume(policy, "other" + other, 1);
                }
                assertThat(limiter.peek(policy, "k" + years + i, 1).allowed()).isFalse();
                assertThat(limiter.peek(policy, "new" + years, 1).allowed()).isTrue();
            }
            assertThat(limiter.ledgers(policy("10/1d"))).isEqualTo(5);
            clock.advance(Duration.ofDays(365L * years));

            for (int i = 0; i < 6; i++) {
                Policy policy = policy(10 + i + "/1d");
                assertThat(limiter.peek(policy, "k" + years + i, 10 + i).allowed())
                        .isTrue();
                assertThat(limiter.peek(policy, "newer" + years, 10 + i).allowed())
                        .isTrue();
            }
        }
    }

    @Test
    void letsEachClientHaveItsOwnLimits() {
        Policy free = policy("5/1m");
        Policy paid = policy("10/1m");
        int freely = 0;
        int dearly = 0;
        for (int i = 0; i < 100; i++) {
            freely += limiter.tryConsume(free, "alice", 1).allowed() ? 1 : 0;
            dearly += limiter.tryConsume(paid, "bob", 1).allowed() ? 1 : 0;
        }

        assertThat(freely).isEqualTo(5);
        assertThat(dearly).isEqualTo(10);
    }

    @Test
    void keepsTheLimitsThatAreAskedForMostAsTheyAre() {
        Policy usual = policy("10/1h");
        PolicyBuckets buckets = new PolicyBuckets(usual, synchronization, clock, /* maximumKeys= */ 1_000);
        GuardedBucket bucket = buckets.bucket(usual, "k");
        for (int i = 0; i < 500; i++) {
            buckets.bucket(policy(11 + i + "/1h"), "other" + i);
            assertThat(buckets.bucket(usual, "k")).isSameAs(bucket);
        }
    }

    @Test
    void knowsOfManyLimitsWithoutKeepingThemAll() {
        limiter.tryConsume(policy("1000/1h"), "k", 1_000);
        for (int i = 1; i < 500; i++) {
            assertThat(tokens(policy(1_000 + i + "/1h"))).isZero();
        }
    }
}
