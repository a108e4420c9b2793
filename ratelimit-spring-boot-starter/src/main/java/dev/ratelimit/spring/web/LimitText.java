package dev.ratelimit.spring.web;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/**
 * How a limit is called in structured fields (RFC 9651): by its policy's name, and its window where the policy has several
 * limits. Immutable.
 *
 * @param name with its quotes
 * @param tokenIntervalNanos until the next token flows in, rounded up
 */
record LimitText(Limit limit, String name, long tokenIntervalNanos) {
    static final long MAX_INTEGER = 999_999_999_999_999L;

    static LimitText of(String name, Limit limit) {
        return new LimitText(limit, quoted(name), (limit.refillPeriod().toNanos() - 1) / limit.refillTokens() + 1);
    }

    static List<LimitText> listOf(Policy policy) {
        List<Limit> limits = policy.limits();
        List<LimitText> texts = new ArrayList<>(limits.size());
        for (int i = 0; i < limits.size(); i++) {
            texts.add(of(name(policy, i), limits.get(i)));
        }
        return texts;
    }

    /** The quota and the window never change, and say what the policy is. */
    String field() {
        return name + ";q=" + Math.min(limit.capacity(), MAX_INTEGER) + ";w=" + windowSeconds(limit);
    }

    /** Two limits may fill in the same time, as 100/1m and 50/1m do; then the later one has its number, too. */
    private static String name(Policy policy, int index) {
        List<Limit> limits = policy.limits();
        if (limits.size() == 1) {
            return policy.name();
        }
        long window = windowSeconds(limits.get(index));
        boolean taken = limits.subList(0, index).stream().anyMatch(other -> windowSeconds(other) == window);
        return policy.name() + '-' + window + (taken ? "-" + (index + 1) : "");
    }

    /** Returns the seconds in which an empty bucket fills, rounded up. */
    private static long windowSeconds(Limit limit) {
        BigInteger nanos = BigInteger.valueOf(limit.capacity())
                .multiply(BigInteger.valueOf(limit.refillPeriod().toNanos()));
        BigInteger perSecond = BigInteger.valueOf(limit.refillTokens()).multiply(BigInteger.valueOf(Seconds.NANOS));
        return nanos.add(perSecond).subtract(BigInteger.ONE).divide(perSecond).longValueExact();
    }

    /** A string holds printable ASCII only (section 3.3.3). */
    private static String quoted(String name) {
        StringBuilder text = new StringBuilder(name.length() + 2).append('"');
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\');
            }
            text.append(c < ' ' || c > '~' ? '?' : c);
        }
        return text.append('"').toString();
    }
}
