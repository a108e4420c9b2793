package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.InvalidRateLimitException;
import java.lang.reflect.RecordComponent;
import java.util.Locale;
import java.util.stream.Stream;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.env.Environment;

/**
 * Refuses properties of a policy that do not exist. Boot does so itself, but not for environment variables and system
 * properties, which may be somebody else's; one that names {@code ratelimit.policies} or the like is ours.
 */
final class UnknownProperties {
    private static final ConfigurationPropertyName RATELIMIT = ConfigurationPropertyName.of("ratelimit");
    private static final ConfigurationPropertyName POLICIES = ConfigurationPropertyName.of("ratelimit.policies");
    private static final ConfigurationPropertyName FILTER = ConfigurationPropertyName.of("ratelimit.filter");
    private static final ConfigurationPropertyName LOCAL = ConfigurationPropertyName.of("ratelimit.local");
    private static final String CLIENT_ADDRESS = "clientaddress"; // two elements in an environment variable

    private UnknownProperties() {}

    static void refuse(Environment environment) {
        ConfigurationPropertySources.get(environment).forEach(source -> {
            if (source instanceof IterableConfigurationPropertySource names) {
                names.forEach(UnknownProperties::check);
            }
        });
    }

    private static void check(ConfigurationPropertyName name) {
        if (POLICIES.isAncestorOf(name) && name.getNumberOfElements() > 3) {
            String property = name.getElement(3, Form.UNIFORM);
            boolean split = property.equals("charge"); // CHARGE_ON in an environment variable
            check(name, split ? rest(name, 3) : property, RateLimitProperties.PolicyProperties.class);
        } else if (FILTER.isAncestorOf(name)) {
            check(name, rest(name, 2), RateLimitProperties.FilterProperties.class);
        } else if (LOCAL.isAncestorOf(name)) {
            check(name, rest(name, 2), RateLimitProperties.LocalProperties.class);
        } else if (RATELIMIT.isAncestorOf(name) && rest(name, 1).startsWith(CLIENT_ADDRESS)) {
            String property = rest(name, 1).substring(CLIENT_ADDRESS.length());
            check(name, property, RateLimitProperties.ClientAddressProperties.class);
        }
    }

    /** Returns the elements from there on as one word: those of MAXIMUM_KEYS in an environment variable are two. */
    private static String rest(ConfigurationPropertyName name, int from) {
        StringBuilder rest = new StringBuilder();
        for (int i = from; i < name.getNumberOfElements() && !name.isNumericIndex(i); i++) {
            rest.append(name.getElement(i, Form.UNIFORM));
        }
        return rest.toString();
    }

    private static void check(ConfigurationPropertyName name, String property, Class<? extends Record> type) {
        if (Stream.of(type.getRecordComponents())
                .map(UnknownProperties::uniform)
                .noneMatch(property::equals)) {
            throw new InvalidRateLimitException(name.toString(), "is unknown");
        }
    }

    private static String uniform(RecordComponent component) {
        return component.getName().toLowerCase(Locale.ROOT);
    }
}
