package dev.ratelimit.spring;

import dev.ratelimit.Policy;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.MethodClassKey;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.core.annotation.RepeatableContainers;
import org.springframework.util.ReflectionUtils;
import org.springframework.util.StringValueResolver;

/**
 * Finds what limits a method, which is read once. Thread-safe.
 *
 * <p>What a method is annotated with goes before what its type is, and what it overrides.
 */
final class RateLimitedCalls {
    private final ConfiguredPolicies policies;
    private final RateLimitedReader reader;
    private final Map<Method, Latest> latest = new ConcurrentHashMap<>();
    private final Map<MethodClassKey, Latest> methods = new ConcurrentHashMap<>();

    /**
     * On which type a method was called last; most are called on one only, and are found by that, without a key.
     *
     * @param limited what limits it under the policies {@code of} then
     */
    private record Latest(Class<?> type, Map<String, ConfiguredPolicy> of, RateLimitedMethod limited) {}

    RateLimitedCalls(ConfiguredPolicies policies, StringValueResolver placeholders, Consumer<Policy> requireFitting) {
        this.policies = policies;
        this.reader = new RateLimitedReader(policies, placeholders, requireFitting);
    }

    /**
     * Returns what limits {@code method} when it is called on {@code type}.
     *
     * @throws InvalidRateLimitException if an annotation on it means nothing
     */
    @SuppressWarnings("ReferenceEquality") // policies that have changed are another map
    RateLimitedMethod of(Method method, Class<?> type) {
        Latest known = latest.get(method);
        Map<String, ConfiguredPolicy> now = policies.now();
        return known != null && known.type == type && known.of == now ? known.limited : find(method, type, now);
    }

    @SuppressWarnings("ReferenceEquality")
    private RateLimitedMethod find(Method method, Class<?> type, Map<String, ConfiguredPolicy> now) {
        MethodClassKey key = new MethodClassKey(method, type);
        Latest found = methods.get(key);
        if (found == null || found.of != now) {
            RateLimitedMethod limited = found == null ? reader.read(method, type) : found.limited;
            found = new Latest(type, now, limited.under(now));
            methods.put(key, found);
        }
        latest.put(method, found);
        return found.limited;
    }

    /**
     * Makes sure that policies are as good for all methods read so far as those that are in force.
     *
     * @throws InvalidRateLimitException if a method always costs more than one of them can ever grant
     */
    void check(Map<String, ConfiguredPolicy> changed) {
        methods.values().forEach(each -> each.limited.check(changed));
    }

    /** Whether {@code method} has such an annotation when it is called on {@code type}, of its own or by the type. */
    static boolean isLimited(Method method, Class<?> type) {
        return annotated(mostSpecific(method, type), type) != null;
    }

    /** Whether {@code method} has such an annotation of its own. */
    static boolean isLimited(Method method) {
        return !annotations(method).isEmpty();
    }

    /** The methods of a JDK proxy's class have no annotations and no names; those of its interfaces do. */
    static Method mostSpecific(Method method, Class<?> type) {
        return Proxy.isProxyClass(type) ? method : AopUtils.getMostSpecificMethod(method, type);
    }

    /** Returns the type that names a limit: of a JDK proxy an interface, as its class has a new name at each start. */
    static Class<?> named(Method method, Class<?> type) {
        return !Proxy.isProxyClass(type)
                ? type
                : Stream.of(type.getInterfaces())
                        .filter(each -> method.getDeclaringClass().isAssignableFrom(each) && isLimited(method, each))
                        .findFirst()
                        .orElse(type);
    }

    static @Nullable AnnotatedElement annotated(Method method, Class<?> type) {
        if (ReflectionUtils.isObjectMethod(method)) {
            return null;
        }
        if (isLimited(method)) {
            return method;
        }
        boolean byType = Modifier.isPublic(method.getModifiers()) && !Modifier.isStatic(method.getModifiers());
        return byType && !annotations(type).isEmpty() ? type : null;
    }

    /** Returns the nearest annotations: what is on a method or type replaces what is on those it overrides. */
    static List<MergedAnnotation<RateLimited>> annotations(AnnotatedElement element) {
        List<MergedAnnotation<RateLimited>> all = search(element, SearchStrategy.TYPE_HIERARCHY).stream(
                        RateLimited.class)
                .toList();
        return all.stream()
                .filter(each -> each.getAggregateIndex() == all.get(0).getAggregateIndex())
                .toList();
    }

    /** Whether {@code element} is annotated itself, whatever it inherits or overrides; most have no annotation at all. */
    static boolean mentions(AnnotatedElement element) {
        return element.getDeclaredAnnotations().length > 0
                && search(element, SearchStrategy.DIRECT).isPresent(RateLimited.class);
    }

    private static MergedAnnotations search(AnnotatedElement element, SearchStrategy strategy) {
        return MergedAnnotations.from(
                element, strategy, RepeatableContainers.explicitRepeatable(RateLimited.class, RateLimited.All.class));
    }

    /** Returns what an annotation is called in an error. */
    static String place(Method method, Class<?> type) {
        return "@RateLimited on " + type.getName() + '.' + method.getName();
    }
}
