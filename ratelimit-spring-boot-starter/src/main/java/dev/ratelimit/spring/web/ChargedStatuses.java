package dev.ratelimit.spring.web;

import dev.ratelimit.spring.InvalidRateLimitException;
import java.util.BitSet;
import java.util.List;

/**
 * The statuses of a response whose request stays charged: what {@code charge-on} says. Immutable.
 *
 * @hidden
 */
public final class ChargedStatuses {
    /** Every status: what is charged stays so. */
    public static final ChargedStatuses ALL = new ChargedStatuses(new BitSet());

    private static final int MIN = 100;
    private static final int END = 600;
    private static final int PER_CLASS = 100;

    private final BitSet statuses;

    private ChargedStatuses(BitSet statuses) {
        this.statuses = statuses;
    }

    /**
     * Reads classes such as 4xx and codes such as 401; none at all means {@link #ALL}.
     *
     * @throws InvalidRateLimitException if one is neither
     */
    public static ChargedStatuses of(List<String> texts, String property) {
        if (texts.isEmpty()) {
            return ALL;
        }
        BitSet statuses = new BitSet(END);
        for (String text : texts) {
            boolean isClass = text.endsWith("xx") || text.endsWith("XX");
            int first = number(isClass ? text.substring(0, text.length() - 2) + "00" : text);
            if (first < MIN || first >= END || text.length() != 3) {
                throw new InvalidRateLimitException(
                        property,
                        "has \"" + text + "\", but must have statuses such as 401, or 4xx for all that begin so");
            }
            statuses.set(first, first + (isClass ? PER_CLASS : 1));
        }
        return new ChargedStatuses(statuses);
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    boolean include(int status) {
        return this == ALL || statuses.get(status);
    }
}
