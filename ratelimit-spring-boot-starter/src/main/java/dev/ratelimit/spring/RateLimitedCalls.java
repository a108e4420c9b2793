package dev.ratelimit.spring;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.MethodClassKey;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.core.annotation.RepeatableContainers;
import org.springframework.util.ReflectionUtils;
import org.springframework.util.StringValueResolver;

/**
 * Reads {@link RateLimited} from methods and types, each method once. Thread-safe.
 *
 * <p>What a method is annotated with goes before what its type is. A limit in place makes a policy that is named after its
 * place, {@code Type.method} or {@code Type}; where two places would have one name, the later is given more of its own.
 */
final class RateLimitedCalls {
    private final ConfiguredPolicies policies;
    private final StringValueResolver placeholders;
    private final Map<MethodClassKey, List<RateLimitedCall>> calls = new ConcurrentHashMap<>();
    private final Map<String, AnnotatedElement> places = new ConcurrentHashMap<>();

    RateLimitedCalls(ConfiguredPolicies policies, StringValueResolver placeholders) {
        this.policies = policies;
        this.placeholders = placeholders;
    }

    /**
     * Returns what limits {@code method} when it is called on {@code type}; nothing if the list is empty.
     *
     * @throws InvalidRateLimitException if an annotation on it means nothing
     */
    List<RateLimitedCall> of(Method method, Class<?> type) {
        MethodClassKey key = new MethodClassKey(method, type);
        List<RateLimitedCall> known = calls.get(key);
        if (known == null) {
            known = read(AopUtils.getMostSpecificMethod(method, type), type);
            calls.put(key, known);
        }
        return known;
    }

    /** Whether {@code method} has such an annotation when it is called on {@code type}, of its own or by the type. */
    static boolean isLimited(Method method, Class<?> type) {
        return annotated(AopUtils.getMostSpecificMethod(method, type), type) != null;
    }

    private List<RateLimitedCall> read(Method method, Class<?> type) {
        AnnotatedElement annotated = annotated(method, type);
        return annotated == null
                ? List.of()
                : annotations(annotated)
                        .map(each -> call(each, method, type, annotated))
                        .toList();
    }

    private static @Nullable AnnotatedElement annotated(Method method, Class<?> type) {
        if (ReflectionUtils.isObjectMethod(method)) {
            return null;
        }
        if (annotations(method).findAny().isPresent()) {
            return method;
        }
        boolean byType = Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers());
        return byType && annotations(type).findAny().isPresent() ? type : null;
    }

    private static Stream<MergedAnnotation<RateLimited>> annotations(AnnotatedElement element) {
        return MergedAnnotations.from(
                element,
                SearchStrategy.TYPE_HIERARCHY,
                RepeatableContainers.explicitRepeatable(RateLimited.class, RateLimited.All.class))
                .stream(RateLimited.class);
    }

    private RateLimitedCall call(
            MergedAnnotation<RateLimited> annotation, Method method, Class<?> type, AnnotatedElement annotated) {
        String place = "@RateLimited on " + type.getName() + '.' + method.getName();
        return new RateLimitedCall(
                policy(annotation, place, annotated, type),
                expression(annotation.getString("key"), method, place),
                expression(annotation.getString("tokens"), method, place),
                maxWaitNanos(text(annotation, "maxWait"), place),
                fallback(annotation.getString("fallback"), method, type, place));
    }

    private ConfiguredPolicy policy(
            MergedAnnotation<RateLimited> annotation, String place, AnnotatedElement annotated, Class<?> type) {
        String name = text(annotation, "policy");
        String limit = text(annotation, "limit");
        if (name.isEmpty() == limit.isEmpty()) {
            throw new InvalidRateLimitException(place, "needs either the name of a policy or a limit, and not both");
        }
        if (!name.isEmpty()) {
            ConfiguredPolicy configured = policies.find(name);
            if (configured == null) {
                throw new InvalidRateLimitException(
                        place, "names the policy \"" + name + "\", which is not one of: " + policies.names());
            }
            return configured;
        }
        try {
            List<Limit> limits = Stream.of(limit.split(",")).map(Limit::parse).toList();
            return new ConfiguredPolicy(new Policy(inPlaceName(annotated, type), limits), 1);
        } catch (IllegalArgumentException e) {
            throw new InvalidRateLimitException(place, "has the limit \"" + limit + "\": " + e.getMessage());
        }
    }

    private String inPlaceName(AnnotatedElement annotated, Class<?> type) {
        Stream<String> names = Stream.of(type.getSimpleName(), type.getName());
        if (annotated instanceof Method method) {
            String signature = method.getName() + Arrays.toString(method.getParameterTypes());
            names = Stream.of(
                    type.getSimpleName() + '.' + method.getName(),
                    type.getName() + '.' + method.getName(),
                    type.getName() + '.' + signature);
        }
        return names.filter(name -> policies.find(name) == null)
                .filter(name -> annotated.equals(places.computeIfAbsent(name, unused -> annotated)))
                .findFirst()
                .orElseThrow();
    }

    private String text(MergedAnnotation<RateLimited> annotation, String attribute) {
        String text = placeholders.resolveStringValue(annotation.getString(attribute));
        return text == null ? "" : text.strip();
    }

    private static @Nullable ArgumentExpression expression(String text, Method method, String place) {
        return text.isEmpty() ? null : new ArgumentExpression(text, method, place);
    }

    private static long maxWaitNanos(String text, String place) {
        if (text.isEmpty()) {
            return 0;
        }
        try {
            return DurationStyle.detectAndParse(text).toNanos();
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new InvalidRateLimitException(
                    place, "has the maxWait \"" + text + "\", which is no duration; write it as 500ms or 2s");
        }
    }

    private static @Nullable Method fallback(String name, Method method, Class<?> type, String place) {
        if (name.isEmpty()) {
            return null;
        }
        Class<?>[] parameters = method.getParameterTypes();
        Class<?>[] withException = Arrays.copyOf(parameters, parameters.length + 1);
        withException[parameters.length] = RateLimitExceededException.class;
        Method found = ReflectionUtils.findMethod(type, name, withException);
        if (found == null) {
            found = ReflectionUtils.findMethod(type, name, parameters);
        }
        if (found == null || !method.getReturnType().isAssignableFrom(found.getReturnType())) {
            throw new InvalidRateLimitException(
                    place,
                    "has the fallback \"" + name + "\", but its type has no such method with the same parameters and a "
                            + method.getReturnType().getSimpleName() + " to return");
        }
        return found;
    }
}
