package dev.ratelimit;

import java.io.Serializable;

/**
 * What a limiter answered. Immutable.
 *
 * <p>Under several limits {@code remaining} is the smallest, {@code retryAfterNanos} and {@code resetAfterNanos} are the
 * longest, and {@code limit} is the one that decided: of a denial the one with the longest wait, of an admission the one
 * with the fewest tokens left.
 *
 * <pre>{@code
 * String tell(Decision decision) {
 *     if (decision.allowed()) {
 *         return decision.remaining() + " left";
 *     }
 *     return decision.never() ? "ask for less" : "try again in " + Duration.ofNanos(decision.retryAfterNanos());
 * }
 * }</pre>
 *
 * @param allowed whether the tokens were consumed
 * @param remaining whole tokens left after this decision, 0 or more
 * @param retryAfterNanos nanoseconds until the same request could pass, {@link Long#MAX_VALUE} if {@link #never()}; if
 *     allowed, those to wait before going on, which is 0 unless tokens were {@linkplain RateLimiter#reserve reserved}
 * @param resetAfterNanos nanoseconds until the bucket is full again, if nothing else is consumed
 * @param limit the limit that decided
 * @param unavailable whether it is denied because those who know what is left could not be asked; {@code retryAfterNanos}
 *     says when to try again, {@code remaining} is 0, and neither says anything of the client
 */
public record Decision(
        boolean allowed, long remaining, long retryAfterNanos, long resetAfterNanos, Limit limit, boolean unavailable)
        implements Serializable {

    /**
     * Creates what a limiter answered that knew what is left.
     *
     * @param allowed whether the tokens were consumed
     * @param remaining whole tokens left
     * @param retryAfterNanos nanoseconds until the same request could pass
     * @param resetAfterNanos nanoseconds until the bucket is full again
     * @param limit the limit that decided
     */
    public Decision(boolean allowed, long remaining, long retryAfterNanos, long resetAfterNanos, Limit limit) {
        this(allowed, remaining, retryAfterNanos, resetAfterNanos, limit, false);
    }

    /** {@return whether the same request can never pass, as it asks for more tokens than the capacity} */
    public boolean never() {
        return retryAfterNanos == Long.MAX_VALUE;
    }
}
