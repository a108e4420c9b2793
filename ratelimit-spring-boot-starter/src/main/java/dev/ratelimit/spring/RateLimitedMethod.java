package dev.ratelimit.spring;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What limits one method, read once. Immutable. */
final class RateLimitedMethod {
    /** That which has no limit. */
    static final RateLimitedMethod UNLIMITED = new RateLimitedMethod(List.of(), Returns.VALUE, /* charges= */ -1);

    private final List<RateLimitedCall> limits;
    private final Returns returns;
    private final int charges;
    private final @Nullable RateLimitedCall only;

    /**
     * Creates what limits a method.
     *
     * @param limits all that do, or look on, in their order
     * @param charges the place of the parameter that gets what a call was charged with; below 0 if there is none
     */
    RateLimitedMethod(List<RateLimitedCall> limits, Returns returns, int charges) {
        this.limits = List.copyOf(limits);
        this.returns = returns;
        this.charges = charges;
        boolean plain = limits.size() == 1 && returns == Returns.VALUE && charges < 0;
        this.only = plain && decidesAtOnceAndAlone(limits.get(0)) ? limits.get(0) : null;
    }

    private static boolean decidesAtOnceAndAlone(RateLimitedCall limit) {
        ConfiguredPolicy policy = limit.policy();
        return limit.maxWaitNanos() == 0 && policy.mode() == PolicyMode.ENFORCE && policy.penalty() == null;
    }

    List<RateLimitedCall> limits() {
        return limits;
    }

    Returns returns() {
        return returns;
    }

    int charges() {
        return charges;
    }

    /** Returns the limit, if it is one that decides at once and alone, and nothing comes of that; null otherwise. */
    @Nullable
    RateLimitedCall only() {
        return only;
    }
}
