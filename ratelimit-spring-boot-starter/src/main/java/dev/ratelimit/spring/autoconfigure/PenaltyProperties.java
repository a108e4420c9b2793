package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.Penalty;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.boot.context.properties.bind.Name;

/**
 * The penalty of a policy in application.yml.
 *
 * @param after How many denials it takes, such as 20 or 20 denials
 * @param within The time in which they come back, and so count, with its unit
 * @param limits The stricter limits
 * @param term How long they hold, with its unit
 */
record PenaltyProperties(
        @Nullable String after,
        @Nullable String within,
        @DefaultValue List<LimitProperties> limits,
        @Name("for") @Nullable String term) {
    private static final String DENIALS = " denials";

    /** Reads what stands at {@code property}, for a policy that has one of {@code plans}. */
    Penalty penalty(String property, Collection<Policy> plans) {
        Limit denials = denials(property);
        List<Limit> stricter = LimitProperties.limits(limits, property + ".limits");
        for (Policy plan : plans) {
            if (!Penalty.isStricter(stricter, plan)) {
                throw new InvalidRateLimitException(
                        property + ".limits", "is " + stricter + ", which is no stricter than " + plan.limits());
            }
        }
        return new Penalty(plans.iterator().next().name(), denials, stricter, term(property + ".for"));
    }

    private Limit denials(String property) {
        String text = required(after, property + ".after");
        String number = text.endsWith(DENIALS) ? text.substring(0, text.length() - DENIALS.length()) : text;
        long count;
        try {
            count = Long.parseLong(number.strip());
        } catch (NumberFormatException e) {
            count = 0;
        }
        if (count < 1) {
            throw new InvalidRateLimitException(
                    property + ".after", "is \"" + text + "\", but must be a number of denials, at least 1");
        }
        Duration span = LimitProperties.period(required(within, property + ".within"), property + ".within");
        return limit(count, span, property + ".within");
    }

    private Limit term(String property) {
        return limit(1, LimitProperties.period(required(term, property), property), property);
    }

    private static Limit limit(long tokens, Duration period, String property) {
        try {
            return Limit.of(tokens, period);
        } catch (IllegalArgumentException e) {
            throw new InvalidRateLimitException(property, "is out of range: " + e.getMessage());
        }
    }

    private static String required(@Nullable String value, String property) {
        if (value == null || value.isBlank()) {
            throw new InvalidRateLimitException(
                    property, "is missing, but a penalty needs after, within, limits and for");
        }
        return value.strip();
    }
}
