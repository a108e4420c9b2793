package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.InvalidRateLimitException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.context.properties.bind.Name;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.ConfigurationPropertyState;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.core.ResolvableType;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;

/**
 * Refuses properties under {@code ratelimit} that do not exist, and says which do; and those with a placeholder that stands for
 * nothing, which Boot would leave as it is: a secret that everybody knows. Boot would refuse unknown ones of a file, in more
 * words, but not environment variables and system properties, which may be somebody else's: of these, one that goes on as ours
 * do is ours.
 */
final class UnknownProperties {
    private static final ConfigurationPropertyName RATELIMIT = ConfigurationPropertyName.of("ratelimit");
    private static final Set<String> PROCESS = Set.of(
            StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
            StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME);
    private static final ResolvableType ROOT = ResolvableType.forClass(RateLimitProperties.class);

    private final ConfigurationPropertyName name;
    private final boolean mayBeForeign;

    private UnknownProperties(ConfigurationPropertyName name, boolean mayBeForeign) {
        this.name = name;
        this.mayBeForeign = mayBeForeign;
    }

    static void refuse(ConfigurableEnvironment environment) {
        List<ConfigurationPropertySource> before = new ArrayList<>();
        for (ConfigurationPropertySource source : ConfigurationPropertySources.get(environment)) {
            if (source instanceof IterableConfigurationPropertySource names) {
                boolean mayBeForeign = source.getUnderlyingSource() instanceof PropertySource<?> underlying
                        && PROCESS.contains(underlying.getName());
                for (ConfigurationPropertyName name : names) {
                    if (RATELIMIT.isAncestorOf(name)
                            && new UnknownProperties(name, mayBeForeign).check(ROOT, 1)
                            && !isOverridden(name, before)) {
                        refusePlaceholder(name, source, environment);
                        refuseInTwoWays(name, environment);
                    }
                }
            }
            before.add(source);
        }
    }

    /** Whether one of those sources says something else of it, or of the list that it is in. */
    private static boolean isOverridden(ConfigurationPropertyName name, List<ConfigurationPropertySource> before) {
        int length = 0;
        while (length < name.getNumberOfElements() && !name.isNumericIndex(length)) {
            length++;
        }
        ConfigurationPropertyName whole = name.chop(length);
        for (ConfigurationPropertySource each : before) {
            if (each.getConfigurationProperty(whole) != null
                    || each.containsDescendantOf(whole) == ConfigurationPropertyState.PRESENT) {
                return true;
            }
        }
        return false;
    }

    /** Refuses a text that has parts, too, such as a limit with a capacity; elements of a list override one in another place. */
    private static void refuseInTwoWays(ConfigurationPropertyName name, ConfigurableEnvironment environment) {
        for (int length = 2; length < name.getNumberOfElements(); length++) {
            ConfigurationPropertyName whole = name.chop(length);
            if (!name.isNumericIndex(length) && isText(whole, environment)) {
                throw new InvalidRateLimitException(
                        whole.toString(), "is set, and so is " + name + ", a part of it: use one of the two");
            }
        }
    }

    /** Whether it is set to more than nothing, which is what a section of a file is that has no line yet. */
    private static boolean isText(ConfigurationPropertyName name, ConfigurableEnvironment environment) {
        for (ConfigurationPropertySource each : ConfigurationPropertySources.get(environment)) {
            ConfigurationProperty property = each.getConfigurationProperty(name);
            if (property != null && !property.getValue().toString().isEmpty()) {
                return true;
            }
        }
        return false;
    }

    private static void refusePlaceholder(
            ConfigurationPropertyName name, ConfigurationPropertySource source, ConfigurableEnvironment environment) {
        ConfigurationProperty property = source.getConfigurationProperty(name);
        if (property != null && property.getValue() instanceof CharSequence value) {
            try {
                environment.resolveRequiredPlaceholders(value.toString());
            } catch (IllegalArgumentException e) { // whose message has the value
                throw new InvalidRateLimitException(
                        name.toString(), "has a placeholder, such as ${NAME}, for which nothing is set");
            }
        }
    }

    /** Follows the name from {@code element} on, where it stands for something of that type; whether it is ours. */
    private boolean check(ResolvableType type, int element) {
        if (element == name.getNumberOfElements()) {
            return true;
        }
        if (type.resolve(Object.class) == List.class) {
            return check(type.getGeneric(), name.isNumericIndex(element) ? element + 1 : element);
        }
        return type.resolve(Object.class) == Map.class
                ? check(type.getGeneric(1), element + 1)
                : checkComponents(type.resolve(Object.class), element);
    }

    /** Tries one element, two and more as one word: an environment variable cannot tell MAXIMUM_KEYS from two. */
    private boolean checkComponents(Class<?> type, int element) {
        StringBuilder word = new StringBuilder();
        for (int i = element; i < name.getNumberOfElements(); i++) {
            RecordComponent component = component(
                    type, word.append(name.getElement(i, Form.UNIFORM)).toString());
            if (component != null) {
                return check(ResolvableType.forType(component.getGenericType()), i + 1);
            }
        }
        if (element > 1 || !mayBeForeign) {
            throw new InvalidRateLimitException(name.toString(), "is unknown" + known(type));
        }
        return false;
    }

    private static @Nullable RecordComponent component(Class<?> type, String word) {
        for (RecordComponent each : components(type)) {
            if (nameOf(each).replace("-", "").equals(word)) {
                return each;
            }
        }
        return null;
    }

    private static String known(Class<?> type) {
        return type.isRecord()
                ? components(type).stream()
                        .map(UnknownProperties::nameOf)
                        .collect(Collectors.joining(", ", "; there are: ", ""))
                : "";
    }

    private static List<RecordComponent> components(Class<?> type) {
        return type.isRecord() ? List.of(type.getRecordComponents()) : List.of();
    }

    /** A name that is given stands at the parameter; but that need not know its type, as compilers from JDK 21 on leave it. */
    static String nameOf(RecordComponent component) {
        RecordComponent[] all = component.getDeclaringRecord().getRecordComponents();
        int place = 0;
        while (!all[place].getName().equals(component.getName())) {
            place++;
        }
        Name name = component
                .getDeclaringRecord()
                .getDeclaredConstructors()[0]
                .getParameters()[place]
                .getAnnotation(Name.class);
        return name != null
                ? name.value()
                : DataObjectPropertyName.toDashedForm(component.getName()).toLowerCase(Locale.ROOT);
    }
}
