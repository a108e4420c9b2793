package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a limiter promises to callers who wait. */
@ParameterizedClass
@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL") // no limiter has it
class ReserveTest {
    private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);

    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final RateLimiter limiter;
    private final Policy quick = Policy.of("quick", Limit.parse("5/5s"));
    private final Policy slow = Policy.of("slow", Limit.parse("1/10s"), Limit.parse("100/1h"));

    ReserveTest(Synchronization synchronization) {
        limiter = LocalRateLimiter.builder()
                .synchronization(synchronization)
                .clock(clock)
                .build();
    }

    private List<Decision> reserve(Duration maxWait, Claim... claims) {
        return limiter.reserve(List.of(claims), maxWait);
    }

    private static Claim claim(Policy policy, long tokens) {
        return new Claim(policy, "key", tokens);
    }

    private Duration wait(Policy policy) {
        return Duration.ofNanos(limiter.peek(policy, "key", 1).retryAfterNanos());
    }

    @Test
    void takesTokensAtOnceThatAreThereInTime() {
        limiter.tryConsume(quick, "key", 4);

        Decision decision = reserve(Duration.ofSeconds(2), claim(quick, 3)).get(0);

        assertThat(decision.allowed()).isTrue();
        assertThat(decision.retryAfterNanos()).isEqualTo(Duration.ofSeconds(2).toNanos());
        assertThat(decision.remaining()).isZero();
        assertThat(decision.resetAfterNanos()).isEqualTo(Duration.ofSeconds(7).toNanos());
        assertThat(wait(quick)).hasSeconds(3);
    }

    @Test
    void takesNothingThatComesLate() {
        limiter.tryConsume(quick, "key", 4);
        Duration tooShort = Duration.ofSeconds(2).minusNanos(1);
        Decision denial = limiter.peek(quick, "key", 3);

        assertThat(reserve(tooShort, claim(quick, 3))).containsExactly(denial);
        assertThat(limiter.peek(quick, "key", 3)).isEqualTo(denial);
    }

    @Test
    void takesAllOfAListOrNone() {
        assertThat(reserve(Duration.ZERO, claim(quick, 3), claim(slow, 1)))
                .extracting(Decision::retryAfterNanos)
                .containsExactly(0L, 0L);
        assertThat(reserve(Duration.ofSeconds(10), claim(quick, 3), claim(slow, 1)))
                .extracting(Decision::retryAfterNanos)
                .containsExactly(
                        Duration.ofSeconds(1).toNanos(), Duration.ofSeconds(10).toNanos());

        List<Decision> denied = reserve(Duration.ofSeconds(15), claim(quick, 1), claim(slow, 1));

        assertThat(denied).extracting(Decision::allowed).containsExactly(true, false);
        assertThat(wait(quick)).hasSeconds(2);
        assertThat(wait(slow)).hasSeconds(20);
    }

    @Test
    void addsUpClaimsOnOneBucket() {
        assertThat(reserve(Duration.ofSeconds(1), claim(quick, 3), claim(quick, 3)))
                .extracting(Decision::allowed)
                .containsExactly(false, false);
        assertThat(reserve(Duration.ofSeconds(1), claim(quick, 3), claim(quick, 2)))
                .extracting(Decision::allowed)
                .containsExactly(true, true);
        assertThat(wait(quick)).hasSeconds(1);
    }

    @Test
    void waitsForAsLongAsItTakesIfItMay() {
        for (int i = 0; i < 100; i++) {
            assertThat(reserve(FOR_EVER, claim(slow, 1)).get(0).retryAfterNanos())
                    .isEqualTo(Duration.ofSeconds(10).multipliedBy(i).toNanos());
        }
        assertThat(reserve(FOR_EVER, claim(slow, 2)).get(0).never()).isTrue();
        assertThat(reserve(FOR_EVER, claim(slow, 2), claim(quick, 1)))
                .extracting(Decision::allowed)
                .containsExactly(false, true);
    }

    @Test
    void consumesWhatIsThereIfItMayNotWait() {
        for (Duration none : List.of(Duration.ZERO, Duration.ofNanos(-1), FOR_EVER.negated())) {
            limiter.reset(quick, "key");
            assertThat(reserve(none, claim(quick, 5)).get(0).allowed()).isTrue();
            assertThat(reserve(none, claim(quick, 1)).get(0).allowed()).isFalse();
            assertThat(wait(quick)).hasSeconds(1);
        }
    }
}
