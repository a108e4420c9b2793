package dev.ratelimit.spring.web;

import dev.ratelimit.Decision;
import dev.ratelimit.spring.PolicyDecision;
import java.util.List;

/** Nanoseconds in the whole seconds of header fields: rounded up, so that who waits them has waited long enough. */
final class Seconds {
    static final long NANOS = 1_000_000_000L;

    private Seconds() {}

    static long ceil(long nanos) {
        return nanos / NANOS + (nanos % NANOS > 0 ? 1 : 0);
    }

    /** Returns how long the client of a denied request is to wait, at least 1: told 0, it would come back at once. */
    static long retryAfter(Decision denial) {
        return Math.max(1, ceil(denial.retryAfterNanos()));
    }

    /** Returns how long until none of these denies. */
    static long retryAfter(List<PolicyDecision> violations) {
        long seconds = 1;
        for (PolicyDecision violation : violations) {
            seconds = Math.max(seconds, retryAfter(violation.decision()));
        }
        return seconds;
    }
}
