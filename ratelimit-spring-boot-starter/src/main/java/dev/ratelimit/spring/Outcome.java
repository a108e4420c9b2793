package dev.ratelimit.spring;

/**
 * What can come of a request or a call under a policy; {@link RateLimitCounts} counts them.
 *
 * <pre>{@code
 * long wouldDeny = counts.count("api-next", Outcome.SHADOW_DENIED);
 * }</pre>
 */
public enum Outcome {
    /** The policy allowed it, and was charged unless another one denied it. */
    ALLOWED,

    /** The policy allowed it, with less than a fifth of its capacity left; counted as allowed, too. */
    NEAR_LIMIT,

    /** The policy denied it. */
    DENIED,

    /** The policy would have denied it, but only looks on. */
    SHADOW_DENIED,

    /**
     * The backend was not there to decide, and what the policy does about that decided in its place. What that knows how to
     * allow or deny is counted as such, too; a denial for want of an answer is degraded only.
     */
    DEGRADED,

    /** The policy did not apply, as it is to skip the request. */
    SKIPPED,

    /** A key came under the policy's penalty, by a denial that was counted as such, too. */
    PENALIZED,

    /** The client's plan was none of the policy's; it was held to the strictest limits. */
    UNKNOWN_PLAN,

    /** Nothing was known of the client, not even its address, and it shared the bucket of all of those. */
    UNATTRIBUTED
}
