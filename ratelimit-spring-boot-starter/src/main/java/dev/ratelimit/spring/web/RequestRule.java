package dev.ratelimit.spring.web;

import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.PolicyMode;
import dev.ratelimit.spring.RequestSkip;
import dev.ratelimit.spring.TokenCost;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which requests a policy applies to, whose bucket they are charged to, how much, and under which limits. Immutable.
 *
 * @param methods names of methods, one of which has to match, or none for all; GET covers HEAD
 * @param cost what a request costs, or null for what the policy says
 * @param chargeOn the statuses that a request stays charged for
 * @param skip which requests the policy leaves alone all the same
 * @hidden
 */
public record RequestRule(
        ConfiguredPolicy policy,
        RequestKey key,
        RequestPaths paths,
        Set<String> methods,
        @Nullable TokenCost cost,
        ChargedStatuses chargeOn,
        RequestPlan plan,
        RequestSkip skip) {

    /** Whether the filter is to apply this rule, unless its policy is off. */
    boolean hasPaths() {
        return !paths.isEmpty();
    }

    /** Whether the filter applies this rule as things are. */
    public boolean isApplied() {
        return hasPaths() && policy.mode() != PolicyMode.OFF;
    }

    String name() {
        return policy.policy().name();
    }

    /** Returns this rule under what its policy says in {@code now}. */
    RequestRule under(Map<String, ConfiguredPolicy> now) {
        ConfiguredPolicy current = now.getOrDefault(name(), policy);
        return new RequestRule(current, key, paths, methods, cost, chargeOn, plan, skip);
    }

    boolean onlyLooksOn() {
        return policy.mode() == PolicyMode.SHADOW;
    }

    /** Whether this rule can be applied only behind Spring Security: the user tells the key, or the plan. */
    public boolean needsUser() {
        return key.needsUser() || !policy.plans().isEmpty();
    }

    boolean matches(RequestLine request) {
        return matchesMethod(request) && paths.match(request);
    }

    boolean matchesMethod(RequestLine request) {
        return methods.isEmpty() || methods.contains(coveringMethod(request.method()));
    }

    /** Returns what {@code request} is to be charged with; nothing, as null, if it is skipped or costs nothing. */
    @Nullable
    Charge charge(HttpServletRequest request, PolicyLimiter limiter) {
        long tokens = skips(request, limiter) ? 0 : tokens(request);
        return tokens == 0
                ? null
                : new Charge(this, limiter, limits(policy, request, limiter), key(request, limiter), tokens);
    }

    /** Whether {@code request} is skipped; that is counted. */
    boolean skips(HttpServletRequest request, PolicyLimiter limiter) {
        boolean skips = skip.skips(request);
        if (skips) {
            limiter.count(name(), Outcome.SKIPPED);
        }
        return skips;
    }

    /** Returns whose bucket {@code request} is charged to; one of whom nothing is known is counted. */
    String key(HttpServletRequest request, PolicyLimiter limiter) {
        String told = key.of(request);
        if (told.equals(Keys.UNATTRIBUTED)) {
            limiter.count(name(), Outcome.UNATTRIBUTED);
        }
        return told;
    }

    /** Returns {@code current} with the limits that {@code request} is under; a plan that is not known is counted. */
    Policy limits(ConfiguredPolicy current, HttpServletRequest request, PolicyLimiter limiter) {
        Policy limits = plan.of(current, request);
        if (current.isOfUnknownPlan(limits)) {
            limiter.count(name(), Outcome.UNKNOWN_PLAN);
        }
        return limits;
    }

    /** Spring serves HEAD by the handlers of GET. */
    private String coveringMethod(String method) {
        return "HEAD".equals(method) && !methods.contains(method) ? "GET" : method;
    }

    /** Returns what {@code request} costs; 0 if it is free. */
    private long tokens(HttpServletRequest request) {
        if (cost == null) {
            return policy.tokens();
        }
        try {
            long tokens = cost.tokens(request);
            return tokens < 0 ? 1 : tokens;
        } catch (RuntimeException e) {
            DescribedRequest.noteFailure(request, "the TokenCost of " + name(), e);
            return 1;
        }
    }
}
