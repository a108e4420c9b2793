package dev.ratelimit.test;

import static dev.ratelimit.test.RateLimitAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.ManualClock;
import dev.ratelimit.TokenBucket;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class DecisionAssertTest {
    private final TokenBucket bucket = TokenBucket.builder()
            .limits(Limit.parse("5/1m"))
            .clock(new ManualClock(42))
            .build();

    @Test
    void passesOnWhatIsSo() {
        assertThat(bucket.tryConsume(1)).isAllowed().remaining(4);
        assertThat(bucket.tryConsume(5)).isRateLimited().remaining(4).retryAfter(12);
        assertThat(bucket.tryConsume(5)).retryAfter(Duration.ofSeconds(12));
    }

    @Test
    void failsOnWhatIsNot() {
        Decision allowed = bucket.tryConsume(4);
        Decision denied = bucket.tryConsume(4);

        assertThatThrownBy(() -> assertThat(allowed).isRateLimited())
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("Expected the request to be denied by a limit, but it was allowed:")
                .hasMessageContaining("remaining=1");
        assertThatThrownBy(() -> assertThat(denied).as("the second").isAllowed())
                .hasMessageStartingWith("[the second] Expected the request to be allowed, but it was denied:");
        assertThatThrownBy(() -> assertThat(denied).remaining(2))
                .hasMessageStartingWith("Expected <2> tokens to remain, but it was <1>:");
        assertThatThrownBy(() -> assertThat(denied).retryAfter(35))
                .hasMessageStartingWith("Expected a retry after <PT35S>, but it was <PT36S>:");
        assertThatThrownBy(() -> assertThat((Decision) null).isAllowed())
                .hasMessageContaining("Expecting actual not to be null");
    }

    @Test
    void roundsUpToWholeSecondsUnlessAskedToTheNanosecond() {
        Decision denied = new Decision(false, 0, 2_000_000_001, 9_000_000_000L, Limit.parse("5/1m"));

        assertThat(denied).retryAfter(3).retryAfter(Duration.ofNanos(2_000_000_001));
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> assertThat(denied).retryAfter(2));
    }

    @Test
    void saysThatWhatNeverPassesHasNoRetryAfter() {
        assertThatThrownBy(
                        () -> assertThat(bucket.tryConsume(6)).isRateLimited().retryAfter(1))
                .hasMessageStartingWith("Expected a retry after <PT1S>, but it never passes:");
    }

    @Test
    void tellsADenialByALimitFromOneForWantOfIt() {
        Decision unavailable = new Decision(false, 0, 1_000_000_000, 1_000_000_000, Limit.parse("5/1m"), true);

        assertThat(unavailable).isUnavailable().retryAfter(1);
        assertThatThrownBy(() -> assertThat(unavailable).isRateLimited())
                .hasMessageStartingWith(
                        "Expected the request to be denied by a limit, but it was denied as unavailable:");
        assertThatThrownBy(() -> assertThat(unavailable).isAllowed()).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> assertThat(bucket.tryConsume(1)).isUnavailable())
                .hasMessageStartingWith("Expected the limit to be unavailable, but the request was allowed:");
        assertThatThrownBy(() -> assertThat(bucket.tryConsume(5)).isUnavailable())
                .hasMessageStartingWith("Expected the limit to be unavailable, but the request was denied:");
    }
}
