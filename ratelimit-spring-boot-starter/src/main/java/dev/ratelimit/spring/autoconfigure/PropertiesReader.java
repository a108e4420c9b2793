package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.InvalidRateLimitException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.PlaceholdersResolver;
import org.springframework.boot.context.properties.bind.PropertySourcesPlaceholdersResolver;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.convert.ConversionFailedException;
import org.springframework.core.convert.ConversionService;
import org.springframework.core.convert.support.DefaultConversionService;
import org.springframework.core.convert.support.GenericConversionService;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * Reads properties as Boot does, before it does so at start-up and while the application runs; what is wrong with them is one
 * sentence.
 */
final class PropertiesReader {
    private static final String PREFIX = "ratelimit";

    /** What stands for the name of a policy, which need not be one of a property. */
    static final String POLICY = "policy";

    /** Ours, which come before those that Boot has for all. */
    private static final List<ConversionService> CONVERSIONS = List.of(conversions());

    private PropertiesReader() {}

    private static ConversionService conversions() {
        GenericConversionService conversions = new GenericConversionService();
        DefaultConversionService.addCollectionConverters(conversions); // several limits in one text
        conversions.addConverter(new LimitProperties.TextConverter());
        return conversions;
    }

    /**
     * Returns what the environment says now.
     *
     * @throws InvalidRateLimitException if some of that is unknown, or wrong by itself
     */
    static RateLimitProperties read(ConfigurableEnvironment environment) {
        UnknownProperties.refuse(environment);
        return read(
                ConfigurationPropertySources.get(environment),
                new PropertySourcesPlaceholdersResolver(environment),
                ConfigurationPropertyName.of(PREFIX),
                RateLimitProperties.class,
                PREFIX);
    }

    /**
     * Returns what {@code source} says under {@link #POLICY}, whose properties stand for those at {@code place}.
     *
     * @throws InvalidRateLimitException if some of that is wrong
     */
    static <T> T read(ConfigurationPropertySource source, Class<T> type, String place) {
        return read(List.of(source), value -> value, ConfigurationPropertyName.of(POLICY), type, place);
    }

    private static <T> T read(
            Iterable<ConfigurationPropertySource> sources,
            PlaceholdersResolver placeholders,
            ConfigurationPropertyName root,
            Class<T> type,
            String place) {
        try {
            return new Binder(sources, placeholders, CONVERSIONS, null, null, null).bindOrCreate(root.toString(), type);
        } catch (BindException e) {
            throw sentence(
                    e, place + e.getName().toString().substring(root.toString().length()));
        }
    }

    private static InvalidRateLimitException sentence(BindException e, String property) {
        for (@Nullable Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof InvalidRateLimitException sentence) {
                return sentence;
            }
            String rule = cause instanceof ConversionFailedException failed ? rule(failed) : null;
            if (rule != null) {
                return new InvalidRateLimitException(property, rule);
            }
        }
        return new InvalidRateLimitException(
                property,
                "is wrong: " + NestedExceptionUtils.getMostSpecificCause(e).getMessage());
    }

    /** Returns what such a value must be, or null if its converter says so in better words. */
    private static @Nullable String rule(ConversionFailedException failed) {
        Class<?> type = failed.getTargetType().getObjectType();
        String rule = null;
        if (type.isEnum()) {
            rule = "one of " + texts(type);
        } else if (type == Duration.class) {
            rule = "a number and a unit, such as 60s or 1m";
        } else if (type == Boolean.class) {
            rule = "true or false";
        } else if (type == Integer.class || type == Long.class) {
            rule = "a whole number of at most " + (type == Long.class ? Long.SIZE : Integer.SIZE) + " bits";
        }
        return rule == null ? null : "is \"" + failed.getValue() + "\", but must be " + rule;
    }

    private static String texts(Class<?> type) {
        return Stream.of(type.getEnumConstants())
                .map(constant -> constant.toString().toLowerCase(Locale.ROOT).replace('_', '-'))
                .collect(Collectors.joining(", "));
    }
}
