package dev.ratelimit.spring;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
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
import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.util.ReflectionUtils;
import org.springframework.util.StringValueResolver;

/**
 * Reads what limits a method from its annotations, and refuses what means nothing. Thread-safe.
 *
 * <p>A limit in place makes a policy that is named after its place, {@code Type.method} or {@code Type}; see
 * {@link #inPlaceName}.
 */
final class RateLimitedReader {
    private final ConfiguredPolicies policies;
    private final StringValueResolver placeholders;
    private final Consumer<Policy> requireFitting;
    private final Map<String, AnnotatedElement> names = new ConcurrentHashMap<>();

    RateLimitedReader(ConfiguredPolicies policies, StringValueResolver placeholders, Consumer<Policy> requireFitting) {
        this.policies = policies;
        this.placeholders = placeholders;
        this.requireFitting = requireFitting;
    }

    /**
     * Returns what limits {@code called} when it is called on {@code on}.
     *
     * @throws InvalidRateLimitException if an annotation on it means nothing
     */
    RateLimitedMethod read(Method called, Class<?> on) {
        Class<?> type = RateLimitedCalls.named(called, on);
        Method method = RateLimitedCalls.mostSpecific(called, type);
        AnnotatedElement annotated = RateLimitedCalls.annotated(method, type);
        if (annotated == null) {
            return RateLimitedMethod.UNLIMITED;
        }
        List<RateLimitedCall> read = new ArrayList<>();
        int inPlace = 0;
        for (MergedAnnotation<RateLimited> annotation : RateLimitedCalls.annotations(annotated)) {
            inPlace += annotation.getString("limit").isEmpty() ? 0 : 1;
            read.add(call(annotation, method, type, inPlaceName(annotated, type, inPlace)));
        }
        return new RateLimitedMethod(read, Returns.of(method, RateLimitedCalls.place(method, type)), charges(method));
    }

    private static int charges(Method method) {
        return Arrays.asList(method.getParameterTypes()).indexOf(RateLimitCharges.class);
    }

    private RateLimitedCall call(
            MergedAnnotation<RateLimited> annotation, Method method, Class<?> type, String inPlaceName) {
        String place = RateLimitedCalls.place(method, type);
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
                .filter(other -> other.getName().equals(method.getName()) && RateLimitedCalls.isLimited(other))
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
        if (RateLimitedCalls.isLimited(found, type)) {
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
