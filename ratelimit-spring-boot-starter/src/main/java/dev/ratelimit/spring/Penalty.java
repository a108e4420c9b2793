package dev.ratelimit.spring;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import java.time.Duration;
import java.util.List;

/**
 * Stricter limits, to which a key is held for a while, beside those of its policy, if it was denied too often. Immutable.
 *
 * <p>A key has up to three more buckets for this, in the same limiter. One holds as many denials as it may have, and they come
 * back evenly over the span they are counted in. When they are used up, the one token of the second is taken, and the penalty
 * lasts until that is back; denials under the penalty do not count. The third is under the stricter limits. As these are
 * buckets, they are as few, and are remembered in a flood of keys, as any others; and as the policy's own bucket goes on as it
 * was, nobody gains by a penalty, or by its end.
 *
 * @hidden
 */
public final class Penalty {
    private final Policy denials;
    private final Policy term;
    private final Policy stricter;
    private final Policy told; // by the policy's own name, which is the one that clients know

    /**
     * Creates a penalty of the policy of that name.
     *
     * @param denials how many denials there may be, in which span
     * @param stricter the stricter limits
     * @param term one token for each term
     */
    public Penalty(String policy, Limit denials, List<Limit> stricter, Limit term) {
        List<String> names = names(policy);
        this.denials = Policy.of(names.get(0), denials);
        this.term = Policy.of(names.get(1), term);
        this.stricter = new Policy(names.get(2), stricter);
        this.told = new Policy(policy, stricter);
    }

    /** Returns the names of the policies that the buckets of a penalty of {@code policy} are under. */
    public static List<String> names(String policy) {
        return List.of(policy + ".denials", policy + ".term", policy + ".penalty");
    }

    /** Returns the stricter limits. */
    public List<Limit> limits() {
        return stricter.limits();
    }

    /** Returns how long they hold. */
    public Duration term() {
        return term.limits().get(0).refillPeriod();
    }

    /** Whether some limit in {@code limits} can be the first to deny, beside those of {@code policy}. */
    public static boolean isStricter(List<Limit> limits, Policy policy) {
        return limits.stream()
                .anyMatch(limit -> policy.limits().stream().noneMatch(other -> Strictness.isNoStricter(limit, other)));
    }

    /** Whether {@code key} is under the penalty now. */
    boolean holds(String key, RateLimiter limiter) {
        Decision free = limiter.peek(term, key, 1);
        return !free.allowed() && !free.unavailable();
    }

    /** Counts a denial of {@code key}, and returns whether it brought the key under the penalty, which begins with nothing. */
    boolean follows(String key, RateLimiter limiter) {
        Decision counted = limiter.tryConsume(denials, key, 1);
        if (counted.unavailable()
                || counted.remaining() > 0
                || !limiter.tryConsume(term, key, 1).allowed()) {
            return false;
        }
        Decision first = limiter.tryConsume(stricter, key, 1);
        if (first.remaining() > 0) {
            limiter.tryConsume(stricter, key, first.remaining());
        }
        return true;
    }

    /** Ends the penalty of {@code key}, and forgets the denials that count towards the next. */
    void lift(String key, RateLimiter limiter) {
        for (Policy each : List.of(denials, term, stricter)) {
            limiter.reset(each, key);
        }
    }

    /** Returns what a key is to be asked for while it is under the penalty, together with what its policy asks for. */
    Policy stricter() {
        return stricter;
    }

    /** Returns how the client is told of the stricter limits. */
    Policy told() {
        return told;
    }

    /** Returns the one of both decisions that binds the key. */
    PolicyDecision binding(PolicyDecision own, PolicyDecision penalized, String key, RateLimiter limiter) {
        Decision decision = penalized.decision();
        if (decision.never()) { // but only while the penalty lasts
            long nanos = Math.max(1, limiter.peek(term, key, 1).retryAfterNanos());
            decision = new Decision(false, decision.remaining(), nanos, decision.resetAfterNanos(), decision.limit());
        }
        return binds(own.decision(), decision)
                ? new PolicyDecision(own.policy(), own.decision(), true)
                : new PolicyDecision(told, decision, true);
    }

    /** Whether {@code one} is the denial with the longer wait, or else the admission that leaves fewer tokens. */
    private static boolean binds(Decision one, Decision other) {
        return one.retryAfterNanos() != other.retryAfterNanos()
                ? one.retryAfterNanos() > other.retryAfterNanos()
                : one.remaining() < other.remaining();
    }
}
