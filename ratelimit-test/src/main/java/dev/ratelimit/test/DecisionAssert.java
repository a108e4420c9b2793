package dev.ratelimit.test;

import dev.ratelimit.Decision;
import java.time.Duration;
import org.assertj.core.api.AbstractObjectAssert;
import org.jspecify.annotations.Nullable;

/**
 * Assertions about what a limiter answered.
 *
 * <pre>{@code
 * assertThat(bucket.tryConsume(1)).isAllowed().remaining(4);
 * assertThat(bucket.tryConsume(9)).isRateLimited().retryAfter(12);
 * }</pre>
 */
public final class DecisionAssert extends AbstractObjectAssert<DecisionAssert, Decision> {
    private static final Duration ALMOST_A_SECOND = Duration.ofNanos(999_999_999);

    DecisionAssert(@Nullable Decision actual) {
        super(actual, DecisionAssert.class);
    }

    /**
     * Verifies that the tokens were consumed.
     *
     * @return these assertions
     */
    public DecisionAssert isAllowed() {
        isNotNull();
        if (!actual.allowed()) {
            failWithMessage("Expected the request to be allowed, but it was denied:%n%s", actual);
        }
        return this;
    }

    /**
     * Verifies that the request was denied, by a limit that is known to be exceeded.
     *
     * @return these assertions
     */
    public DecisionAssert isRateLimited() {
        isNotNull();
        if (actual.allowed() || actual.unavailable()) {
            failWithMessage("Expected the request to be denied by a limit, but it was %s:%n%s", outcome(), actual);
        }
        return this;
    }

    /**
     * Verifies that the request was denied since those who know the limit's state could not be asked.
     *
     * @return these assertions
     */
    public DecisionAssert isUnavailable() {
        isNotNull();
        if (!actual.unavailable()) {
            failWithMessage("Expected the limit to be unavailable, but the request was %s:%n%s", outcome(), actual);
        }
        return this;
    }

    private String outcome() {
        if (actual.unavailable()) {
            return "denied as unavailable";
        }
        return actual.allowed() ? "allowed" : "denied";
    }

    /**
     * Verifies how long to wait in whole seconds, rounded up as in an answer's {@code Retry-After}.
     *
     * @param seconds how many
     * @return these assertions
     */
    public DecisionAssert retryAfter(long seconds) {
        isNotNull();
        return hasRetryAfter(
                Duration.ofSeconds(seconds),
                Duration.ofSeconds(retryAfter().plus(ALMOST_A_SECOND).toSeconds()));
    }

    /**
     * Verifies how long to wait, to the nanosecond.
     *
     * @param expected how long
     * @return these assertions
     */
    public DecisionAssert retryAfter(Duration expected) {
        isNotNull();
        return hasRetryAfter(expected, retryAfter());
    }

    private Duration retryAfter() {
        return Duration.ofNanos(actual.retryAfterNanos());
    }

    private DecisionAssert hasRetryAfter(Duration expected, Duration told) {
        if (actual.never()) {
            failWithMessage("Expected a retry after <%s>, but it never passes:%n%s", expected, actual);
        }
        if (!told.equals(expected)) {
            failWithMessage("Expected a retry after <%s>, but it was <%s>:%n%s", expected, told, actual);
        }
        return this;
    }

    /**
     * Verifies how many whole tokens are left.
     *
     * @param tokens how many
     * @return these assertions
     */
    public DecisionAssert remaining(long tokens) {
        isNotNull();
        if (actual.remaining() != tokens) {
            failWithMessage("Expected <%s> tokens to remain, but it was <%s>:%n%s", tokens, actual.remaining(), actual);
        }
        return this;
    }
}
