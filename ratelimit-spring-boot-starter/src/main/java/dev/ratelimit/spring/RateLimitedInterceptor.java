package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.NanoClock;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

/** Asks the limiter before a call of a {@link RateLimited} method goes on. Thread-safe. */
final class RateLimitedInterceptor implements MethodInterceptor {
    private final Supplier<RateLimitedCalls> calls;
    private final Supplier<PolicyLimiter> limiter;
    private final Supplier<NanoClock> clock;
    private final Supplier<CallContext> context;

    RateLimitedInterceptor(
            Supplier<RateLimitedCalls> calls,
            Supplier<PolicyLimiter> limiter,
            Supplier<NanoClock> clock,
            Supplier<CallContext> context) {
        this.calls = calls;
        this.limiter = limiter;
        this.clock = clock;
        this.context = context;
    }

    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        Object target = Objects.requireNonNull(invocation.getThis());
        List<RateLimitedCall> all = calls.get().of(invocation.getMethod(), target.getClass());
        List<RateLimitedCall> limits = enforced(all, invocation.getArguments());
        List<PolicyDecision> decisions = decide(limits, invocation.getArguments());
        context.get().decided(decisions);
        List<PolicyDecision> violations = PolicyDecision.violationsIn(decisions);
        if (violations.isEmpty()) {
            return invocation.proceed();
        }
        RateLimitExceededException exceeded = new RateLimitExceededException(violations);
        RateLimitedCall denied = limits.get(decisions.indexOf(violations.get(0)));
        if (denied.fallback() == null) {
            throw exceeded;
        }
        return denied.callFallback(target, invocation.getArguments(), exceeded);
    }

    /** Leaves out what skips the caller, and what only looks on, after it has had its look. */
    private List<RateLimitedCall> enforced(List<RateLimitedCall> all, @Nullable Object[] arguments) {
        CallContext caller = context.get();
        List<RateLimitedCall> enforced = new ArrayList<>(all.size());
        for (RateLimitedCall call : all) {
            if (caller.skips(call.policy().policy().name())) {
                continue;
            }
            if (call.policy().mode() == PolicyMode.SHADOW) {
                limiter.get().shadow(() -> call.claim(arguments, caller));
            } else {
                enforced.add(call);
            }
        }
        return enforced;
    }

    private List<PolicyDecision> decide(List<RateLimitedCall> limits, @Nullable Object[] arguments) {
        CallContext caller = context.get();
        List<Claim> claims =
                limits.stream().map(each -> each.claim(arguments, caller)).toList();
        List<PolicyDecision> decisions = limiter.get().tryConsume(claims);
        long deadline = clock.get().nanos() + maxWaitNanos(limits);
        while (canWait(decisions, deadline) && sleep(retryAfterNanos(decisions))) {
            decisions = limiter.get().tryConsume(claims);
        }
        limiter.get().note(claims, decisions);
        return decisions;
    }

    private boolean canWait(List<PolicyDecision> decisions, long deadline) {
        long wait = retryAfterNanos(decisions);
        return wait > 0 && wait <= deadline - clock.get().nanos();
    }

    private static long retryAfterNanos(List<PolicyDecision> decisions) {
        return decisions.stream()
                .mapToLong(each -> each.decision().retryAfterNanos())
                .max()
                .orElse(0);
    }

    /** Several limits on one call have to agree on how long it may wait, so the most impatient one decides. */
    private static long maxWaitNanos(List<RateLimitedCall> limits) {
        return limits.stream().mapToLong(RateLimitedCall::maxWaitNanos).min().orElse(0);
    }

    private boolean sleep(long nanos) {
        try {
            clock.get().sleep(nanos);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the call is denied; that it was interrupted is for the caller to see
            return false;
        }
    }
}
