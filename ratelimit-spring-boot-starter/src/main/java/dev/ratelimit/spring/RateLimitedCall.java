package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.Policy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ReflectionUtils;

/**
 * One {@link RateLimited} on one method, read once. Immutable.
 *
 * @param policy the policy and what a call costs unless {@code tokens} says so
 * @param key whose bucket, or null for the policy's own key
 * @param tokens the cost, or null for the policy's own
 * @param maxWaitNanos how long a call may wait
 * @param fallback what to call in place of a denied call, or null to throw
 */
record RateLimitedCall(
        ConfiguredPolicy policy,
        @Nullable ArgumentExpression key,
        @Nullable ArgumentExpression tokens,
        long maxWaitNanos,
        @Nullable Method fallback) {

    Claim claim(@Nullable Object[] arguments, CallContext context) {
        Policy charged = policy.policy();
        Object value = key == null ? null : key.valueFor(arguments);
        String whose = value == null ? context.key(charged.name()) : Keys.of("argument", value.toString());
        return new Claim(charged, whose, cost(arguments));
    }

    private long cost(@Nullable Object[] arguments) {
        if (tokens == null) {
            return policy.tokens();
        }
        Object value = tokens.valueFor(arguments);
        if (value instanceof Double || value instanceof Float) {
            return Math.max(1, (long) Math.ceil(((Number) value).doubleValue()));
        }
        if (value instanceof Number number) {
            return Math.max(1, number.longValue());
        }
        throw new IllegalArgumentException(
                "the tokens of policy " + policy.policy().name() + " must be a number: "
                        + (value == null ? "null" : value.getClass().getName()));
    }

    @Nullable
    Object callFallback(Object target, @Nullable Object[] arguments, RateLimitExceededException exceeded)
            throws Throwable {
        Method method = Objects.requireNonNull(fallback);
        @Nullable Object[] all = arguments;
        if (method.getParameterCount() > arguments.length) {
            all = Arrays.copyOf(arguments, arguments.length + 1);
            all[arguments.length] = exceeded;
        }
        ReflectionUtils.makeAccessible(method);
        try {
            return method.invoke(target, all);
        } catch (InvocationTargetException e) {
            throw e.getTargetException();
        }
    }
}
