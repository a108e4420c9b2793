package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every bucket does, however it is guarded and wherever its clock starts. */
@ParameterizedClass
@MethodSource("guardsAndClocks")
class TokenBucketTest {
    private static final long MINUTE = Duration.ofMinutes(1).toNanos();

    static Stream<Arguments> guardsAndClocks() {
        List<Long> origins = List.of(
                Long.MIN_VALUE,
                Long.MIN_VALUE + MINUTE,
                -1L,
                0L,
                Long.MAX_VALUE - MINUTE,
                Long.MAX_VALUE,
                ThreadLocalRandom.current().nextLong());
        return Stream.of(Synchronization.values())
                .flatMap(guard -> origins.stream().map(origin -> Arguments.of(guard, origin)));
    }

    private final Synchronization synchronization;
    private final ManualClock clock;

    TokenBucketTest(Synchronization synchronization, long origin) {
        this.synchronization = synchronization;
        clock = new ManualClock(origin);
    }

    private TokenBucket bucket(String... limits) {
        return builder(limits).build();
    }

    private TokenBucket.Builder builder(String... limits) {
        return TokenBucket.builder()
                .limits(Stream.of(limits).map(Limit::parse).toArray(Limit[]::new))
                .synchronization(synchronization)
                .clock(clock);
    }

    @Test
    void allowsItsCapacityAndThenDenies() {
        TokenBucket bucket = bucket("5/1m");

        for (long left = 4; left >= 0; left--) {
            assertThat(bucket.tryConsume(1))
                    .isEqualTo(new Decision(true, left, 0, (5 - left) * MINUTE / 5, Limit.parse("5/1m")));
        }
        assertThat(bucket.tryConsume(1)).isEqualTo(new Decision(false, 0, MINUTE / 5, MINUTE, Limit.parse("5/1m")));
    }

    @Test
    void isFullUnlessTold() {
        TokenBucket bucket = TokenBucket.of(Limit.parse("5/1d"), Limit.parse("4/1d"));

        assertThat(bucket.tryConsume(4).allowed()).isTrue();
        assertThat(bucket.tryConsume(1).allowed()).isFalse();
    }

    @Test
    void consumesAllOrNothing() {
        TokenBucket bucket = bucket("5/1m");

        assertThat(bucket.tryConsume(3).allowed()).isTrue();
        assertThat(bucket.tryConsume(3).allowed()).isFalse();
        assertThat(bucket.tryConsume(2).allowed()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"5/1m", "7/1s", "3/10ns", "999/1s", "1001/1s", "60/1s burst 7", "1/1ns", "999983/1s"})
    void allowsExactlyAtRetryAfterAndNotANanosecondEarlier(String limit) {
        TokenBucket bucket = bucket(limit);
        long capacity = Limit.parse(limit).capacity();
        bucket.tryConsume(capacity);

        for (long tokens = 1; tokens <= Math.min(capacity, 5); tokens++) {
            Decision denial = bucket.tryConsume(tokens);
            while (denial.allowed()) { // as long as the cells of a striped bucket got a token each at one time
                denial = bucket.tryConsume(tokens);
            }
            clock.advance(Duration.ofNanos(denial.retryAfterNanos() - 1));
            assertThat(bucket.tryConsume(tokens).allowed()).isFalse();
            clock.advance(Duration.ofNanos(1));
            assertThat(bucket.tryConsume(tokens).allowed()).isTrue();
        }
    }

    @Test
    void isFullAgainAtResetAfterAndNotBefore() {
        TokenBucket bucket = bucket("7/1s");
        Decision decision = bucket.tryConsume(3);

        clock.advance(Duration.ofNanos(decision.resetAfterNanos() - 1));
        assertThat(bucket.peek(7).allowed()).isFalse();
        clock.advance(Duration.ofNanos(1));
        assertThat(bucket.peek(7).allowed()).isTrue();
    }

    @Test
    void losesNoFractionOfATokenHoweverOftenItIsAsked() {
        TokenBucket bucket = builder("7/1s").initialTokens(0).build();

        long admitted = 0;
        for (int i = 0; i < 100_000; i++) {
            clock.advance(Duration.ofNanos(99_991));
            admitted += bucket.tryConsume(1).allowed() ? 1 : 0;
        }

        assertThat(admitted).isEqualTo(99_991L * 100_000 * 7 / 1_000_000_000);
    }

    @Test
    void neverGrantsMoreThanItsCapacityAndChargesNothingForAsking() {
        TokenBucket bucket = bucket("5/1m");

        for (long tokens : new long[] {6, Long.MAX_VALUE}) {
            Decision decision = bucket.tryConsume(tokens);
            assertThat(decision).isEqualTo(new Decision(false, 5, Long.MAX_VALUE, 0, Limit.parse("5/1m")));
            assertThat(decision.never()).isTrue();
        }
        assertThat(bucket.tryConsume(5).allowed()).isTrue();
        assertThat(bucket.tryConsume(1).never()).isFalse();
    }

    @Test
    void refusesFewerThanOneToken() {
        TokenBucket bucket = bucket("5/1m");

        for (long tokens : new long[] {0, -1, Long.MIN_VALUE}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> bucket.tryConsume(tokens))
                    .withMessage("tokens must be positive: " + tokens);
            assertThatIllegalArgumentException().isThrownBy(() -> bucket.peek(tokens));
            assertThatIllegalArgumentException().isThrownBy(() -> bucket.refund(tokens));
        }
        assertThat(bucket.tryConsume(5).allowed()).isTrue();
    }

    @Test
    void peeksWithoutConsuming() {
        TokenBucket bucket = bucket("5/1m", "8/1h");

        for (long tokens = 1; tokens <= 9; tokens++) {
            Decision peeked = bucket.peek(tokens);
            assertThat(bucket.peek(tokens)).isEqualTo(peeked);
            assertThat(bucket.tryConsume(tokens)).isEqualTo(peeked);
            if (peeked.allowed()) {
                bucket.refund(tokens);
            }
        }
    }

    @Test
    void givesBackUpToTheCapacityAndNoFurther() {
        TokenBucket bucket = bucket("5/1m", "50/1h");
        bucket.tryConsume(4);

        bucket.refund(2);
        assertThat(bucket.peek(1).remaining()).isEqualTo(2);
        for (long tokens : new long[] {3, 100, Long.MAX_VALUE}) {
            bucket.refund(tokens);
            assertThat(bucket.tryConsume(6).remaining()).isEqualTo(5);
            assertThat(bucket.tryConsume(5).allowed()).isTrue();
            assertThat(bucket.tryConsume(1).allowed()).isFalse();
        }
    }

    @Test
    void givesBackNoFractionThatWasNotConsumed() {
        TokenBucket bucket = bucket("5/1m");
        bucket.tryConsume(2);
        clock.advance(Duration.ofSeconds(6));

        bucket.refund(1);
        assertThat(bucket.peek(5).resetAfterNanos())
                .isEqualTo(Duration.ofSeconds(6).toNanos());
    }

    @Test
    void holdsSeveralLimitsAtOnceAllOrNothing() {
        TokenBucket bucket = bucket("2/1s", "3/1h");

        assertThat(bucket.tryConsume(2).limit()).isEqualTo(Limit.parse("2/1s"));
        Decision denial = bucket.tryConsume(2);
        assertThat(denial)
                .isEqualTo(new Decision(
                        false,
                        0,
                        Duration.ofMinutes(20).toNanos(),
                        Duration.ofMinutes(40).toNanos(),
                        Limit.parse("3/1h")));

        clock.advance(Duration.ofSeconds(1));
        assertThat(bucket.tryConsume(2).allowed()).isFalse();
        assertThat(bucket.tryConsume(1).remaining()).isZero();
        assertThat(bucket.peek(3).never()).isTrue();
    }

    @Test
    void startsWithTheInitialTokensEachLimitWithItsShare() {
        assertThat(builder("5/1m").initialTokens(0).build().tryConsume(1).retryAfterNanos())
                .isEqualTo(MINUTE / 5);
        assertThat(builder("5/1m").initialTokens(5).build().tryConsume(5).allowed())
                .isTrue();

        TokenBucket bucket = builder("2/1s", "10/1h").initialTokens(4).build();
        assertThat(bucket.tryConsume(2).allowed()).isTrue();
        clock.advance(Duration.ofSeconds(1));
        assertThat(bucket.tryConsume(2).remaining()).isZero();
        clock.advance(Duration.ofSeconds(1));
        assertThat(bucket.tryConsume(2).limit()).isEqualTo(Limit.parse("10/1h"));
    }

    @Test
    void refusesInitialTokensThatNoLimitCanHold() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder("5/1m", "7/1h").initialTokens(8).build())
                .withMessage("initialTokens must be at most the capacity, 7: 8");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder("5/1m").initialTokens(-1))
                .withMessage("initialTokens must not be negative: -1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder().build())
                .withMessage("a bucket needs at least one limit");
    }

    static final List<String> LIMITS = List.of(
            "5/1m", "30/1s", "999/1s", "997/30d", "1009/1d", "1/20d", "3/10ns", "29/365d", "999983/1s", "997/365d");

    @ParameterizedTest
    @FieldSource("LIMITS")
    void isFullHoweverLongItWasLeftAlone(String text) {
        long capacity = Limit.parse(text).capacity();
        for (Duration idle : List.of(
                Duration.ofDays(366),
                Duration.ofDays(777),
                Duration.ofDays(3652),
                Duration.ofDays(3653),
                Duration.ofDays(36_525),
                Duration.ofDays(100_000))) {
            TokenBucket bucket = bucket(text);
            bucket.tryConsume(capacity);
            clock.advance(idle);

            assertThat(bucket.peek(capacity).allowed()).as("after %s", idle).isTrue();
            assertThat(bucket.tryConsume(capacity).allowed()).isTrue();
            assertThat(bucket.tryConsume(1).allowed()).isFalse();
        }
    }

    @ParameterizedTest
    @FieldSource("LIMITS")
    void isExactAfterALongLifeOfSmallSteps(String text) {
        Limit limit = Limit.parse(text);
        TokenBucket bucket = bucket(text);
        bucket.tryConsume(limit.capacity());
        for (int day = 0; day < 400; day++) {
            Decision denial = bucket.tryConsume(limit.capacity());
            if (!denial.allowed()) {
                clock.advance(Duration.ofNanos(denial.retryAfterNanos() - 1));
                assertThat(bucket.tryConsume(limit.capacity()).allowed()).isFalse();
                clock.advance(Duration.ofNanos(1));
                assertThat(bucket.tryConsume(limit.capacity()).allowed()).isTrue();
            }
            clock.advance(Duration.ofDays(1));
        }
    }

    @ParameterizedTest
    @FieldSource("LIMITS")
    void looksEmptierWhileTheClockIsBackAndNeverAdmitsMore(String text) {
        Limit limit = Limit.parse(text);
        for (Duration back :
                List.of(Duration.ofSeconds(1), Duration.ofHours(3), Duration.ofDays(200), Duration.ofDays(7_000))) {
            TokenBucket bucket = bucket(text);
            bucket.tryConsume(limit.capacity());
            long now = clock.nanos();
            for (int i = 0; i < 3; i++) {
                clock.set(now - back.toNanos());
                assertThat(bucket.tryConsume(1).allowed()).as("%s back", back).isFalse();
                assertThat(bucket.tryConsume(1).remaining()).isZero();
                clock.set(now);
                assertThat(bucket.tryConsume(1).allowed()).as("caught up").isFalse();
            }
        }
    }

    @Test
    void keepsAccountWhileClocksOfThreadsDisagree() {
        TokenBucket bucket = bucket("10/1s");
        long start = clock.nanos();
        List<Long> admittedAt = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            long skew = (i % 3 - 1) * Duration.ofSeconds(1).toNanos();
            clock.set(start + i * 10_000_000L + skew);
            if (bucket.tryConsume(1).allowed()) {
                admittedAt.add(clock.nanos());
            }
        }

        assertThat(admittedAt).hasSizeBetween(100, 10 + 10 * 11);
    }
}
