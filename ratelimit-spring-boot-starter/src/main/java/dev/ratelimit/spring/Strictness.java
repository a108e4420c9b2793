package dev.ratelimit.spring;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Tells of limits which are stricter. Pure.
 *
 * @hidden
 */
public final class Strictness {

    private Strictness() {}

    /**
     * Returns limits that deny whatever one of {@code policies} denies: those of all of them, without the ones that can
     * never be the first to deny. Where one policy has both the smallest rate and the smallest capacity, those are its own.
     */
    static List<Limit> strictest(Collection<Policy> policies) {
        List<Limit> strictest = new ArrayList<>();
        for (Policy policy : policies) {
            for (Limit limit : policy.limits()) {
                if (strictest.stream().noneMatch(other -> isNoStricter(limit, other))) {
                    strictest.removeIf(other -> isNoStricter(other, limit));
                    strictest.add(limit);
                }
            }
        }
        return strictest;
    }

    /** Whether {@code limit} allows whatever {@code other} does: its rate and its capacity are no smaller. */
    public static boolean isNoStricter(Limit limit, Limit other) {
        BigInteger rate = product(limit.refillTokens(), other.refillPeriod().toNanos());
        BigInteger otherRate =
                product(other.refillTokens(), limit.refillPeriod().toNanos());
        return limit.capacity() >= other.capacity() && rate.compareTo(otherRate) >= 0;
    }

    private static BigInteger product(long one, long other) {
        return BigInteger.valueOf(one).multiply(BigInteger.valueOf(other));
    }
}
