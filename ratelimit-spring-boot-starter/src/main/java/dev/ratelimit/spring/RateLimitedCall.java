package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * One {@link RateLimited} on one method, read once. Immutable.
 *
 * @param policy the policy and what a call costs unless {@code tokens} says so
 * @param key whose bucket, or null for the policy's own key
 * @param tokens the cost, or null for the policy's own
 * @param maxWaitNanos how long a call may wait
 * @param fallback what to call in place of a denied call, or null to throw
 * @param place what it is called in an error
 */
record RateLimitedCall(
        ConfiguredPolicy policy,
        @Nullable ArgumentExpression key,
        @Nullable ArgumentExpression tokens,
        long maxWaitNanos,
        @Nullable Method fallback,
        String place) {

    /** Returns this under what its policy says in {@code now}; a limit in place is not found there, and stays as it is. */
    RateLimitedCall under(Map<String, ConfiguredPolicy> now) {
        ConfiguredPolicy current = now.getOrDefault(policy.policy().name(), policy);
        return new RateLimitedCall(current, key, tokens, maxWaitNanos, fallback, place);
    }

    Claim claim(@Nullable Object[] arguments, CallContext caller) {
        Policy charged = caller.policy(policy);
        return new Claim(charged, key(arguments, charged.name(), caller), cost(arguments));
    }

    /** Returns whose bucket a call with those arguments is charged to. */
    String key(@Nullable Object[] arguments, String policy, CallContext caller) {
        Object value = key == null ? null : key.valueFor(arguments);
        return value == null ? caller.key(policy) : Keys.of("argument", value.toString());
    }

    /** Returns how many tokens a call with those arguments costs. */
    long cost(@Nullable Object[] arguments) {
        return tokens == null ? policy.tokens() : cost(tokens.valueFor(arguments));
    }

    /**
     * Rounds up, and takes what is below 1 as 1: what a client says of itself must not make a call free. It is cut to a long
     * first, as rounding writes out all digits, and 1e600000000 has too many.
     */
    private long cost(@Nullable Object value) {
        if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return Math.max(1, ((Number) value).longValue());
        }
        try {
            return new BigDecimal(String.valueOf(value))
                    .max(BigDecimal.ONE)
                    .min(BigDecimal.valueOf(Long.MAX_VALUE))
                    .setScale(0, RoundingMode.CEILING)
                    .longValueExact();
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "the tokens of policy " + policy.policy().name() + " must be a number: "
                            + (value instanceof Number ? value : ClassUtils.getDescriptiveType(value)));
        }
    }

    /** A cost that depends on no argument is known at start-up, and so is whether a call can ever pass. */
    void checkConstantCost() {
        if (tokens == null || !tokens.isConstant()) {
            return;
        }
        long cost;
        try {
            cost = cost(tokens.valueFor(new Object[0]));
        } catch (IllegalArgumentException e) {
            throw new InvalidRateLimitException(place, "is wrong: " + e.getMessage());
        }
        for (Limit limit : policy.policy().limits()) {
            if (cost > limit.capacity()) {
                throw new InvalidRateLimitException(
                        place, "costs " + cost + " tokens, which is more than the limit " + limit + " can ever grant");
            }
        }
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
