package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.Limit;
import dev.ratelimit.spring.InvalidRateLimitException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationPropertiesBinding;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.convert.TypeDescriptor;
import org.springframework.core.convert.converter.GenericConverter;

/**
 * A limit in application.yml, in parts or, by way of the converter, as text.
 *
 * @param capacity The most tokens a bucket holds; as many as flow in over one period unless told
 * @param refillTokens Tokens that flow in over one period
 * @param refillPeriod The period, with its unit
 */
record LimitProperties(
        @Nullable Long capacity,
        @Nullable Long refillTokens,
        @Nullable String refillPeriod) {

    Limit limit(String property) {
        if (refillTokens == null || refillPeriod == null) {
            String missing = refillTokens == null ? ".refill-tokens" : ".refill-period";
            throw new InvalidRateLimitException(
                    property + missing, "is missing, but a limit in parts needs refill-tokens and refill-period");
        }
        try {
            return new Limit(
                    capacity == null ? refillTokens : capacity,
                    refillTokens,
                    period(refillPeriod, property + ".refill-period"));
        } catch (IllegalArgumentException e) {
            throw new InvalidRateLimitException(property, "is out of range: " + e.getMessage());
        }
    }

    /** Reads the limits at {@code property}, of which there has to be one. */
    static List<Limit> limits(List<LimitProperties> properties, String property) {
        if (properties.isEmpty()) {
            throw new InvalidRateLimitException(property, "is missing, but needs at least one limit, such as 100/1m");
        }
        List<Limit> limits = new ArrayList<>();
        for (LimitProperties each : properties) {
            limits.add(each.limit(property + '[' + limits.size() + ']'));
        }
        return limits;
    }

    /** Reads a time with its unit: a bare number would be one of milliseconds. */
    static Duration period(String text, String property) {
        if (!text.isEmpty() && Character.isLetter(text.charAt(text.length() - 1))) {
            try {
                return DurationStyle.detectAndParse(text);
            } catch (IllegalArgumentException | ArithmeticException e) {
                // said below
            }
        }
        throw new InvalidRateLimitException(
                property, "is \"" + text + "\", but must be a number and a unit, such as 60s or 1m");
    }

    /** Reads the text form; a bare number, too, so that it can be refused with a sentence. */
    @ConfigurationPropertiesBinding
    static final class TextConverter implements GenericConverter {

        @Override
        public Set<ConvertiblePair> getConvertibleTypes() {
            return Set.of(
                    new ConvertiblePair(String.class, LimitProperties.class),
                    new ConvertiblePair(Number.class, LimitProperties.class));
        }

        @Override
        public @Nullable Object convert(@Nullable Object source, TypeDescriptor sourceType, TypeDescriptor targetType) {
            Limit limit = Limit.parse(String.valueOf(source));
            return new LimitProperties(
                    limit.capacity(), limit.refillTokens(), limit.refillPeriod().toNanos() + "ns");
        }
    }
}
