package dev.ratelimit.spring.web;

import dev.ratelimit.Decision;
import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletResponse;
import java.util.List;

/**
 * Writes the fields that were in use before there was a standard: the capacity, the tokens that are left, and the seconds
 * until the bucket is full again. They have room for one limit: the one that is closest to exhaustion. Thread-safe.
 */
final class XRateLimitFields implements RateLimitFields {
    private static final String LIMIT = "X-RateLimit-Limit";
    private static final String REMAINING = "X-RateLimit-Remaining";
    private static final String RESET = "X-RateLimit-Reset";

    @Override
    public String names() {
        return LIMIT + ", " + REMAINING + ", " + RESET;
    }

    @Override
    public void write(HttpServletResponse response, List<PolicyDecision> decisions) {
        Decision closest = decisions.get(0).decision();
        for (int i = 1; i < decisions.size(); i++) {
            Decision other = decisions.get(i).decision();
            closest = isCloser(other, closest) ? other : closest;
        }
        if (closest.unavailable()) {
            return; // what is left is not known
        }
        response.setHeader(LIMIT, Long.toString(closest.limit().capacity()));
        response.setHeader(REMAINING, Long.toString(closest.remaining()));
        response.setHeader(RESET, Long.toString(Seconds.ceil(closest.resetAfterNanos())));
    }

    /** What denied is closest, whatever it has left; then what has the fewest tokens, and what takes longest to fill. */
    private static boolean isCloser(Decision one, Decision other) {
        if (one.unavailable() != other.unavailable()) {
            return other.unavailable();
        }
        if (one.allowed() != other.allowed()) {
            return other.allowed();
        }
        return one.remaining() == other.remaining()
                ? one.resetAfterNanos() > other.resetAfterNanos()
                : one.remaining() < other.remaining();
    }
}
