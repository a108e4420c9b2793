package dev.ratelimit;

import java.io.Serializable;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A rate and a burst: {@code refillTokens} flow in evenly over every {@code refillPeriod}, and at most {@code capacity}
 * are held. Immutable.
 *
 * <p>The text form is {@code 100/1m}, or {@code 100/1m burst 200} where the capacity differs from the refill; the units
 * are {@code ns}, {@code us}, {@code ms}, {@code s}, {@code m}, {@code h} and {@code d}, and the number before the unit
 * may be left out when it is 1.
 *
 * <pre>{@code
 * Limit limit = Limit.parse("100/1m burst 200");
 * Limit same = Limit.of(100, Duration.ofMinutes(1)).withCapacity(200);
 * }</pre>
 *
 * @param capacity the most tokens a bucket holds, and so the largest burst; at least 1
 * @param refillTokens tokens that flow in over one period; at least 1, and at most one a nanosecond
 * @param refillPeriod at least 1 ns
 */
public record Limit(long capacity, long refillTokens, Duration refillPeriod) implements Serializable {
    private static final Pattern TEXT = Pattern.compile(
            "(\\d{1,19})\\s*/\\s*(\\d{0,19})\\s*(ns|us|ms|s|m|h|d)(?:\\s+burst\\s+(\\d{1,19}))?",
            Pattern.CASE_INSENSITIVE);
    private static final String[] UNITS = {"d", "h", "m", "s", "ms", "us", "ns"};
    private static final long[] UNIT_NANOS = {
        86_400_000_000_000L, 3_600_000_000_000L, 60_000_000_000L, 1_000_000_000L, 1_000_000L, 1_000L, 1L
    };

    /**
     * Checks the parts.
     *
     * @param capacity at least 1
     * @param refillTokens at least 1
     * @param refillPeriod at least 1 ns
     * @throws IllegalArgumentException if a part is below 1, the rate is above one token a nanosecond, or filling an
     *     empty bucket would take longer than 2<sup>61</sup> ns (73 years), which is what 64 bits can count
     */
    public Limit {
        Gcra.requirePositive("capacity", capacity);
        Gcra.requirePositive("refillTokens", refillTokens);
        if (refillPeriod == null) {
            throw new IllegalArgumentException("refillPeriod is missing");
        }
        if (refillPeriod.isNegative() || refillPeriod.isZero()) {
            throw new IllegalArgumentException("refillPeriod must be positive: " + refillPeriod);
        }
        Gcra.requireInRange(capacity, refillTokens, refillPeriod);
    }

    /**
     * {@return a limit with a capacity of the tokens of one period, so that all of them may be consumed at once}
     *
     * @param tokens how many flow in over one period; at least 1
     * @param period at least 1 ns
     * @throws IllegalArgumentException as the constructor does
     */
    public static Limit of(long tokens, Duration period) {
        return new Limit(tokens, tokens, period);
    }

    /**
     * {@return this rate with a bucket of another size}
     *
     * @param capacity the most tokens that holds; at least 1
     * @throws IllegalArgumentException as the constructor does
     */
    public Limit withCapacity(long capacity) {
        return new Limit(capacity, refillTokens, refillPeriod);
    }

    /**
     * {@return the limit that a text form says}
     *
     * @param text such as {@code 100/1m} or {@code 10/s burst 20}, in any case and with space around its parts
     * @throws IllegalArgumentException if {@code text} is not a limit, or a part of it is out of range
     */
    public static Limit parse(String text) {
        Matcher matcher = TEXT.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "not a limit: \"" + text + "\"; write tokens/period, as in 100/1m or 100/1m burst 200");
        }
        try {
            long tokens = Long.parseLong(matcher.group(1));
            long count = matcher.group(2).isEmpty() ? 1 : Long.parseLong(matcher.group(2));
            long nanos = Math.multiplyExact(count, nanosOf(matcher.group(3).toLowerCase(Locale.ROOT)));
            long capacity = matcher.group(4) == null ? tokens : Long.parseLong(matcher.group(4));
            return new Limit(capacity, tokens, Duration.ofNanos(nanos));
        } catch (NumberFormatException | ArithmeticException e) {
            throw new IllegalArgumentException("a number is too large for 64 bits in the limit \"" + text + '"', e);
        }
    }

    private static long nanosOf(String unit) {
        int i = 0;
        while (!UNITS[i].equals(unit)) {
            i++;
        }
        return UNIT_NANOS[i];
    }

    /** {@return the text form, which {@link #parse} reads back} */
    @Override
    public String toString() {
        long nanos = refillPeriod.toNanos();
        int i = 0;
        while (nanos % UNIT_NANOS[i] != 0) {
            i++;
        }
        String rate = refillTokens + "/" + nanos / UNIT_NANOS[i] + UNITS[i];
        return capacity == refillTokens ? rate : rate + " burst " + capacity;
    }
}
