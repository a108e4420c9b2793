package dev.ratelimit.spring;

import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import java.io.Serial;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.springframework.aop.support.StaticMethodMatcherPointcutAdvisor;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.core.Ordered;
import org.springframework.util.ClassUtils;
import org.springframework.util.StringValueResolver;
import org.springframework.util.function.SingletonSupplier;

/**
 * Puts {@link RateLimited} in force: behind what asks for authorization, and in front of transactions and caches.
 *
 * <p>It is made before the beans it stands in front of, so it gets to know what it needs only when a call comes.
 *
 * @hidden
 */
public final class RateLimitedAdvisor extends StaticMethodMatcherPointcutAdvisor {
    @Serial
    private static final long serialVersionUID = 1L;

    /** Behind Spring Security's method security, before everything that runs last by default. */
    private static final int ORDER = Ordered.LOWEST_PRECEDENCE - 1_000;

    private final transient Supplier<RateLimitedCalls> calls;
    private final boolean byClass;

    /**
     * Creates the advisor.
     *
     * @param requireFitting throws an {@link IllegalArgumentException} at a limit in place that the limiter cannot count with
     * @param byClass whether proxies are subclasses also of what has interfaces
     */
    public RateLimitedAdvisor(
            ObjectProvider<ConfiguredPolicies> policies,
            StringValueResolver placeholders,
            Consumer<Policy> requireFitting,
            ObjectProvider<PolicyLimiter> limiter,
            ObjectProvider<NanoClock> clock,
            ObjectProvider<CallContexts> contexts,
            boolean byClass) {
        this.calls =
                SingletonSupplier.of(() -> new RateLimitedCalls(policies.getObject(), placeholders, requireFitting));
        setAdvice(new RateLimitedInterceptor(SingletonSupplier.of(() -> new CallLimiter(
                calls.get(),
                limiter.getObject(),
                clock.getObject(),
                contexts.getIfAvailable(() -> CallContexts.NONE)))));
        this.byClass = byClass;
        setClassFilter(new MentioningTypes());
        setOrder(ORDER);
    }

    /**
     * Looks no further than whether there is an annotation: policies may not exist yet when the first beans are made.
     *
     * @throws InvalidRateLimitException if there can be no proxy to put it in force
     */
    @Override
    public boolean matches(Method method, Class<?> targetClass) {
        if (!RateLimitedCalls.isLimited(method, targetClass)) {
            return false;
        }
        if (Modifier.isFinal(targetClass.getModifiers())
                && (byClass || targetClass.getInterfaces().length == 0)
                && !Proxy.isProxyClass(targetClass)
                && !ClassUtils.isLambdaClass(targetClass)) {
            throw new InvalidRateLimitException(
                    RateLimitedCalls.place(method, targetClass),
                    "would be ignored, as a proxy cannot stand in front of a class that is final; make it not final, or"
                            + " annotate a bean that calls it");
        }
        return true;
    }

    /** Returns the names of the policies that a call of {@code method} on {@code type} is charged to. */
    public List<String> policiesOf(Method method, Class<?> type) {
        if (!getClassFilter().matches(type)) {
            return List.of();
        }
        return calls.get().of(method, type).limits().stream()
                .map(call -> call.policy().policy().name())
                .toList();
    }

    /**
     * Makes sure, before policies are changed, that what they would say is good for the methods that name them.
     *
     * @throws InvalidRateLimitException as at start-up
     */
    public void check(ConfiguredPolicies changed) {
        calls.get().check(changed.now());
    }

    Supplier<RateLimitedCalls> calls() {
        return calls;
    }
}
