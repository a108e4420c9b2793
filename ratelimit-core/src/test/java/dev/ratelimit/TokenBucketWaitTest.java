package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource
class TokenBucketWaitTest {
    private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);

    private final ManualClock time = new ManualClock(ThreadLocalRandom.current().nextLong());
    private final List<Duration> sleeps = new ArrayList<>();
    private final Synchronization synchronization;
    private boolean standsStill;
    private Duration interruptedAfter = FOR_EVER;

    /** Notes how long it is slept on, and advances by that unless told to stand still. */
    private final NanoClock clock = new NanoClock() {
        @Override
        public long nanos() {
            return time.nanos();
        }

        @Override
        public void sleep(long nanos) throws InterruptedException {
            sleeps.add(Duration.ofNanos(nanos));
            if (!interruptedAfter.equals(FOR_EVER)) {
                time.advance(interruptedAfter);
                throw new InterruptedException();
            }
            if (!standsStill) {
                time.sleep(nanos);
            }
        }
    };

    TokenBucketWaitTest(Synchronization synchronization) {
        this.synchronization = synchronization;
    }

    private TokenBucket bucket(String... limits) {
        return TokenBucket.builder()
                .limits(Stream.of(limits).map(Limit::parse).toArray(Limit[]::new))
                .synchronization(synchronization)
                .clock(clock)
                .build();
    }

    @Test
    void waitsForItsTokensAndNoLonger() throws InterruptedException {
        TokenBucket bucket = bucket("5/1m");
        assertThat(bucket.consume(5, FOR_EVER)).isEqualTo(bucket("5/1m").tryConsume(5));
        assertThat(sleeps).isEmpty();

        Decision decision = bucket.consume(2, Duration.ofSeconds(24));
        assertThat(sleeps).containsExactly(Duration.ofSeconds(24));
        assertThat(decision.allowed()).isTrue();
        assertThat(decision.retryAfterNanos()).isZero();
        assertThat(bucket.tryConsume(1).retryAfterNanos())
                .isEqualTo(Duration.ofSeconds(12).toNanos());
    }

    @Test
    void isDeniedAtOnceAndChargedNothingWhereTheWaitWouldBeTooLong() throws InterruptedException {
        TokenBucket bucket = bucket("5/1m");
        bucket.tryConsume(5);

        Decision denial = bucket.consume(1, Duration.ofSeconds(12).minusNanos(1));
        assertThat(denial).isEqualTo(bucket.peek(1));
        assertThat(denial.retryAfterNanos()).isEqualTo(Duration.ofSeconds(12).toNanos());
        assertThat(bucket.consume(1, Duration.ZERO).allowed()).isFalse();
        assertThat(bucket.consume(1, Duration.ofSeconds(-1)).allowed()).isFalse();
        assertThat(bucket.consume(6, FOR_EVER).never()).isTrue();
        assertThat(bucket.consume(Long.MAX_VALUE, FOR_EVER).never()).isTrue();
        assertThat(sleeps).isEmpty();
        time.advance(Duration.ofMinutes(1));
        assertThat(bucket.tryConsume(5).allowed()).isTrue();
    }

    @Test
    void takesANegativeWaitForNone() throws InterruptedException {
        TokenBucket bucket = bucket("5/1m");

        assertThat(TokenBucket.allOf(bucket).consume(1, Duration.ofSeconds(-1)).allowed())
                .isTrue();
        assertThat(bucket.consume(1, Duration.ofSeconds(-1)).allowed()).isTrue();
    }

    @Test
    void servesWhoCameFirst() throws InterruptedException {
        TokenBucket bucket = bucket("5/1m", "7/1h burst 100");
        bucket.tryConsume(5);
        standsStill = true;

        for (int i = 1; i <= 10; i++) {
            assertThat(bucket.consume(1, FOR_EVER).allowed()).isTrue();
        }
        assertThat(sleeps).first().isEqualTo(Duration.ofSeconds(12));
        assertThat(sleeps).last().isEqualTo(Duration.ofMinutes(2));
        time.advance(Duration.ofMinutes(2));
        assertThat(bucket.tryConsume(1).retryAfterNanos())
                .isEqualTo(Duration.ofSeconds(12).toNanos());
    }

    @Test
    void givesItsPlaceBackWhenItIsInterrupted() throws InterruptedException {
        TokenBucket bucket = bucket("5/1m");
        bucket.tryConsume(5);

        interruptedAfter = Duration.ofSeconds(5);
        assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> bucket.consume(3, FOR_EVER));
        assertThat(bucket.peek(1).retryAfterNanos())
                .isEqualTo(Duration.ofSeconds(7).toNanos());
    }

    @Test
    void givesNothingBackWhereItHasFlowedInAgainMeanwhile() {
        TokenBucket quick = bucket("5/1s");
        TokenBucket slow = bucket("5/1h");
        slow.tryConsume(1);
        for (TokenBucket both : List.of(TokenBucket.allOf(quick, slow), bucket("5/1s", "5/1h"))) {
            both.tryConsume(1);
            interruptedAfter = Duration.ofSeconds(1);
            assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> both.consume(5, FOR_EVER));
        }
        assertThat(quick.tryConsume(5).allowed()).isTrue();
        // at rest it was full for a fifth of a second when it would have been charged: four fifths of the time are lost
        time.advance(Duration.ofMillis(200));
        assertThat(quick.tryConsume(2).allowed()).isFalse();
    }

    @Test
    void chargesNothingOnAThreadThatIsInterruptedAlready() {
        TokenBucket bucket = bucket("5/1m");

        Thread.currentThread().interrupt();
        assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> bucket.consume(3, FOR_EVER));
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(bucket.peek(5).allowed()).isTrue();
    }

    @Test
    void keepsCountOfALineThatNobodyCouldWaitOut() throws InterruptedException {
        TokenBucket bucket = bucket("1/20d");
        standsStill = true;

        int admitted = 0;
        while (admitted < 10_000 && bucket.consume(1, FOR_EVER).allowed()) {
            admitted++;
        }
        assertThat(admitted).isBetween(1_000, 9_999);
        assertThat(bucket.peek(1).retryAfterNanos())
                .isEqualTo(Duration.ofDays(20).multipliedBy(admitted).toNanos());
    }

    @Test
    void refusesFewerThanOneToken() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> bucket("5/1m").consume(0, FOR_EVER))
                .withMessage("tokens must be positive: 0");
    }
}
