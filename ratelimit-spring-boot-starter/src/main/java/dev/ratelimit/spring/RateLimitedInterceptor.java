package dev.ratelimit.spring;

import dev.ratelimit.Decision;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.CallLimiter.Answer;
import dev.ratelimit.spring.CallLimiter.Denial;
import dev.ratelimit.spring.CallLimiter.Request;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.ProxyMethodInvocation;

/** Asks the limiter before a call of a {@link RateLimited} method goes on. Thread-safe. */
final class RateLimitedInterceptor implements MethodInterceptor {
    private final Supplier<CallLimiter> limiter;

    RateLimitedInterceptor(Supplier<CallLimiter> limiter) {
        this.limiter = limiter;
    }

    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        Object target = Objects.requireNonNull(invocation.getThis());
        CallLimiter decider = limiter.get();
        RateLimitedMethod method = decider.calls().of(invocation.getMethod(), target.getClass());
        RateLimitedCall only = method.only();
        return only == null ? invokeUnderAll(method, decider, invocation) : invokeUnder(only, decider, invocation);
    }

    /**
     * Most calls are under one limit that decides at once, and take no lists. In no request, an allowed decision is of no
     * further use, so that where the compiler inlines all of this it makes no object of it.
     */
    private static @Nullable Object invokeUnder(RateLimitedCall limit, CallLimiter decider, MethodInvocation invocation)
            throws Throwable {
        CallContext caller = decider.context();
        Policy policy = caller.policy(limit.policy());
        if (caller.skips(policy.name())) {
            return invocation.proceed();
        }
        @Nullable Object[] arguments = invocation.getArguments();
        String key = limit.key(arguments, policy.name(), caller);
        long tokens = limit.cost(arguments);
        Decision decision = decider.limiter().limiter().tryConsume(policy, key, tokens);
        if (decision.allowed() && !caller.isTold()) {
            decider.limiter().count(policy, key, decision, tokens);
            return invocation.proceed();
        }
        decider.limiter().count(policy, key, decision, tokens);
        List<PolicyDecision> decisions = List.of(new PolicyDecision(policy, decision));
        caller.decided(decisions);
        return decision.allowed()
                ? invocation.proceed()
                : denied(new Denial(limit, new RateLimitExceededException(decisions)), invocation);
    }

    private static @Nullable Object invokeUnderAll(
            RateLimitedMethod method, CallLimiter decider, MethodInvocation invocation) throws Throwable {
        Request request = decider.request(method, invocation.getArguments(), decider.context());
        return switch (method.returns()) {
            case VALUE -> proceed(decider.decideAndWait(request), request, invocation);
            case FUTURE -> future(decider.decideAndWait(request), request, invocation);
            case MONO -> ReactorCalls.mono(decider, request, invocation);
            case FLUX -> ReactorCalls.flux(decider, request, invocation);
        };
    }

    private static @Nullable Object future(Answer answer, Request request, MethodInvocation invocation)
            throws Throwable {
        Denial denial = answer.denial();
        return denial == null || denial.limit().fallback() != null
                ? proceed(answer, request, invocation)
                : CompletableFuture.failedFuture(denial.exceeded());
    }

    /** Goes on with a call that does not have to wait, or no longer. */
    static @Nullable Object proceed(Answer answer, Request request, MethodInvocation invocation) throws Throwable {
        if (answer.denial() != null) {
            return denied(answer.denial(), invocation);
        }
        int charges = request.method().charges();
        if (charges >= 0) {
            @Nullable Object[] arguments = invocation.getArguments().clone();
            arguments[charges] = answer.charges();
            ((ProxyMethodInvocation) invocation).setArguments(arguments);
        }
        return invocation.proceed();
    }

    private static @Nullable Object denied(Denial denial, MethodInvocation invocation) throws Throwable {
        if (denial.limit().fallback() == null) {
            throw denial.exceeded();
        }
        return denial.limit()
                .callFallback(
                        Objects.requireNonNull(invocation.getThis()), invocation.getArguments(), denial.exceeded());
    }
}
