package dev.ratelimit.spring;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Stricter limits, to which a key is held for a while if it was denied too often. Immutable.
 *
 * <p>A key has two more buckets for this, in the same limiter. One holds as many denials as it may have, and they come back
 * evenly over the span they are counted in. When they are used up, the key's one token of the other bucket is taken, and the
 * penalty lasts until that is back. Denials under the penalty do not count. As these are buckets, they are as few, and are
 * forgotten or remembered in a flood of keys, as any others.
 *
 * <p>The stricter limits hold in place of looser ones under the same policy's name, and so a key keeps what it had, as with
 * a change of plan: a penalty gives nobody a new bucket, and neither does its end.
 */
public final class Penalty {
    private final Policy denials;
    private final Policy term;
    private final Map<Policy, Policy> held = new HashMap<>(); // by plan; never changed

    /**
     * Creates a penalty.
     *
     * @param denials how many denials there may be, in which span
     * @param limits the stricter limits
     * @param term one token for each term
     * @param plans what it stands in for, all of the same name
     */
    public Penalty(Limit denials, List<Limit> limits, Limit term, Collection<Policy> plans) {
        String name = plans.iterator().next().name();
        this.denials = Policy.of(denialsName(name), denials);
        this.term = Policy.of(termName(name), term);
        plans.forEach(plan -> held.put(plan, stricter(plan, limits)));
    }

    /** Returns the name of the policy that counts the denials of {@code policy}. */
    public static String denialsName(String policy) {
        return policy + ".denials";
    }

    /** Returns the name of the policy that tells how long a penalty of {@code policy} lasts. */
    public static String termName(String policy) {
        return policy + ".penalty";
    }

    /** Whether some limit in {@code limits} can be the first to deny, beside those of {@code plan}. */
    public static boolean isStricter(List<Limit> limits, Policy plan) {
        return limits.stream()
                .anyMatch(limit -> plan.limits().stream().noneMatch(other -> Strictness.isNoStricter(limit, other)));
    }

    /** Puts each limit in the place of a looser one, so that the others go on from where they are. */
    private static Policy stricter(Policy plan, List<Limit> limits) {
        List<Limit> stricter = new ArrayList<>(plan.limits());
        for (Limit limit : limits) {
            int place = 0;
            while (place < stricter.size() && !Strictness.isNoStricter(stricter.get(place), limit)) {
                place++;
            }
            if (place == stricter.size()) {
                stricter.add(limit);
            } else {
                stricter.set(place, limit);
            }
        }
        return new Policy(plan.name(), stricter);
    }

    /** Whether {@code key} is under the penalty now. */
    boolean holds(String key, RateLimiter limiter) {
        return !limiter.peek(term, key, 1).allowed();
    }

    /** Returns what holds in place of {@code plan}. */
    Policy stricter(Policy plan) {
        return held.getOrDefault(plan, plan);
    }

    Collection<Policy> variants() {
        return held.values();
    }

    /** Counts a denial of {@code key}, and returns whether it brought the key under the penalty. */
    boolean follows(String key, RateLimiter limiter) {
        return limiter.tryConsume(denials, key, 1).remaining() == 0
                && limiter.tryConsume(term, key, 1).allowed();
    }

    /** Returns what was decided under the penalty. What it denies altogether may pass when it ends, and not never. */
    PolicyDecision penalized(PolicyDecision decided, String key, RateLimiter limiter) {
        Decision decision = decided.decision();
        if (decision.never()) {
            long nanos = Math.max(1, limiter.peek(term, key, 1).retryAfterNanos());
            decision = new Decision(false, decision.remaining(), nanos, decision.resetAfterNanos(), decision.limit());
        }
        return new PolicyDecision(decided.policy(), decision, true);
    }
}
