package dev.ratelimit.spring;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
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
 * <p>What a method is annotated with goes before what its type is, and what it overrides. A limit in place makes a policy
 * that is named after its place, {@code Type.method} or {@code Type}; see {@link #inPlaceName}.
 */
final class RateLimitedCalls {
    private final ConfiguredPolicies policies;
    private final StringValueResolver placeholders;
    private final Consumer<Policy> requireFitting;
    private final Map<Method, Latest> latest = new ConcurrentHashMap<>();
    private final Map<MethodClassKey, Latest> methods = new ConcurrentHashMap<>();
    private final Map<String, AnnotatedElement> names = new ConcurrentHashMap<>();

    /**
     * On which type a method was called last; most are called on one only, and are found by that, without a key.
     *
     * @param limited what limits it under the policies {@code of} then
     */
    private record Latest(Class<?> type, Map<String, ConfiguredPolicy> of, RateLimitedMethod limited) {}

    RateLimitedCalls(ConfiguredPolicies policies, StringValueResolver placeholders, Consumer<Policy> requireFitting) {
        this.policies = policies;
        this.placeholders = placeholders;
        this.requireFitting = requireFitting;
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
            RateLimitedMethod limited = found == null ? read(method, type) : found.limited;
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
    private static Method mostSpecific(Method method, Class<?> type) {
        return Proxy.isProxyClass(type) ? method : AopUtils.getMostSpecificMethod(method, type);
    }

    /** Returns the type that names a limit: of a JDK proxy an interface, as its class has a new name at each start. */
    private static Class<?> named(Method method, Class<?> type) {
        return !Proxy.isProxyClass(type)
                ? type
                : Stream.of(type.getInterfaces())
                        .filter(each -> method.getDeclaringClass().isAssignableFrom(each) && isLimited(method, each))
                        .findFirst()
                        .orElse(type);
    }

    private static @Nullable AnnotatedElement annotated(Method method, Class<?> type) {
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
        List<MergedAnnotation<RateLimited>> all = MergedAnnotations.from(
                        element,
                        SearchStrategy.TYPE_HIERARCHY,
                        RepeatableContainers.explicitRepeatable(RateLimited.class, RateLimited.All.class))
                .stream(RateLimited.class)
                .toList();
        return all.stream()
                .filter(each -> each.getAggregateIndex() == all.get(0).getAggregateIndex())
                .toList();
    }

    private RateLimitedMethod read(Method called, Class<?> on) {
        Class<?> type = named(called, on);
        Method method = mostSpecific(called, type);
        AnnotatedElement annotated = annotated(method, type);
        if (annotated == null) {
            return RateLimitedMethod.UNLIMITED;
        }
        List<RateLimitedCall> read = new ArrayList<>();
        int inPlace = 0;
        for (MergedAnnotation<RateLimited> annotation : annotations(annotated)) {
            inPlace += annotation.getString("limit").isEmpty() ? 0 : 1;
            read.add(call(annotation, method, type, inPlaceName(annotated, type, inPlace)));
        }
        return new RateLimitedMethod(read, Returns.of(method, place(method, type)), charges(method));
    }

    private static int charges(Method method) {
        return Arrays.asList(method.getParameterTypes()).indexOf(RateLimitCharges.class);
    }

    /** Returns what an annotation is called in an error. */
    static String place(Method method, Class<?> type) {
        return "@RateLimited on " + type.getName() + '.' + method.getName();
    }

    private RateLimitedCall call(
            MergedAnnotation<RateLimited> annotation, Method method, Class<?> type, String inPlaceName) {
        String place = place(method, type);
        Method named = annotation.getSource() instanceof Method source ? source : method;
        RateLimitedCall call = new RateLimitedCall(
                policy(text(annotation, "policy"), text(annotation, "limit"), place, inPlaceName),
                expression(annotation.getString("key"), named, place),
                expression(annotation.getString("tokens"), named, place),
                maxWaitNanos(text(annotation, "maxWait"), place),
                fallback(annotation.getString("fallback"), method, type, place),
                place);
        call.checkConstantCost();
        return call;
    }

    private ConfiguredPolicy policy(String name, String limit, String place, String inPlaceName) {
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
            Policy inPlace = new Policy(inPlaceName, limits);
            requireFitting.accept(inPlace);
            return new ConfiguredPolicy(inPlace, 1);
        } catch (IllegalArgumentException e) {
            throw new InvalidRateLimitException(place, "has the limit \"" + limit + "\": " + e.getMessage());
        }
    }

    /**
     * Returns the name of a limit on {@code annotated}: that of the type and the method, with parameters where it is
     * overloaded and with a number from the second annotation on; with the type's package where two types have one name.
     */
    private String inPlaceName(AnnotatedElement annotated, Class<?> type, int index) {
        String member = annotated instanceof Method method ? '.' + signature(method, type) : "";
        String number = index <= 1 ? "" : "-" + index;
        return Stream.of(type.getSimpleName(), type.getName())
                .filter(name -> !name.isEmpty())
                .map(name -> name + member + number)
                .filter(name -> policies.find(name) == null)
                .filter(name -> annotated.equals(names.computeIfAbsent(name, unused -> annotated)))
                .findFirst()
                .orElse(type.getName() + member + number);
    }

    private static String signature(Method method, Class<?> type) {
        long limited = Stream.of(ReflectionUtils.getUniqueDeclaredMethods(type, ReflectionUtils.USER_DECLARED_METHODS))
                .filter(other -> other.getName().equals(method.getName()) && isLimited(other))
                .count();
        return limited <= 1
                ? method.getName()
                : Stream.of(method.getParameterTypes())
                        .map(Class::getSimpleName)
                        .collect(Collectors.joining(",", method.getName() + '(', ")"));
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
            Duration maxWait = DurationStyle.detectAndParse(text);
            if (!maxWait.isNegative()) {
                return maxWait.toNanos();
            }
        } catch (IllegalArgumentException | ArithmeticException e) {
            // said below
        }
        throw new InvalidRateLimitException(
                place, "has the maxWait \"" + text + "\", which is no duration; write it as 500ms or 2s");
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
        for (Class<?> thrown : found.getExceptionTypes()) {
            if (!mayThrow(method, thrown)) {
                throw new InvalidRateLimitException(
                        place,
                        "has the fallback \"" + name + "\", which throws " + thrown.getSimpleName()
                                + ", but the method itself does not declare that");
            }
        }
        if (isLimited(found, type)) {
            throw new InvalidRateLimitException(
                    place,
                    "has the fallback \"" + name + "\", which is limited itself, and would not be when called so");
        }
        return found;
    }

    /** What a method does not declare, its proxy would hide in another exception. */
    private static boolean mayThrow(Method method, Class<?> thrown) {
        return RuntimeException.class.isAssignableFrom(thrown)
                || Error.class.isAssignableFrom(thrown)
                || Stream.of(method.getExceptionTypes()).anyMatch(declared -> declared.isAssignableFrom(thrown));
    }
}
