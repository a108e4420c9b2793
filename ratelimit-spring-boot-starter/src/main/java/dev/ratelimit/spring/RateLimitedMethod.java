package dev.ratelimit.spring;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What limits one method, read once. Immutable. */
final class RateLimitedMethod {
    /** That which has no limit. */
    static final RateLimitedMethod UNLIMITED = new RateLimitedMethod(List.of(), Returns.VALUE, /* charges= */ -1);

    private final List<RateLimitedCall> all;
    private final List<RateLimitedCall> limits;
    private final Returns returns;
    private final int charges;
    private final @Nullable RateLimitedCall only;

    /**
     * Creates what limits a method.
     *
     * @param all what does, or looks on, or would if its policy were not off, in their order
     * @param charges the place of the parameter that gets what a call was charged with; below 0 if there is none
     */
    RateLimitedMethod(List<RateLimitedCall> all, Returns returns, int charges) {
        this.all = List.copyOf(all);
        this.limits = all.stream()
                .filter(call -> call.policy().mode() != PolicyMode.OFF)
                .toList();
        this.returns = returns;
        this.charges = charges;
        boolean plain = limits.size() == 1 && returns == Returns.VALUE && charges < 0;
        this.only = plain && decidesAtOnceAndAlone(limits.get(0)) ? limits.get(0) : null;
    }

    private static boolean decidesAtOnceAndAlone(RateLimitedCall limit) {
        ConfiguredPolicy policy = limit.policy();
        return limit.maxWaitNanos() == 0 && policy.mode() == PolicyMode.ENFORCE && policy.penalty() == null;
    }

    /** Returns what limits the method under what the policies say in {@code now}. */
    RateLimitedMethod under(Map<String, ConfiguredPolicy> now) {
        return all.isEmpty()
                ? this
                : new RateLimitedMethod(
                        all.stream().map(call -> call.under(now)).toList(), returns, charges);
    }

    void check(Map<String, ConfiguredPolicy> changed) {
        all.forEach(call -> call.under(changed).checkConstantCost());
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
