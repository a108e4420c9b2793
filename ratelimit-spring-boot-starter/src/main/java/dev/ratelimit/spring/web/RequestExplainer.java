package dev.ratelimit.spring.web;

import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.PolicyMode;
import dev.ratelimit.spring.web.RuleExplanation.Planned;
import jakarta.servlet.ServletContext;
import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.web.cors.CorsUtils;

/**
 * Tells what would come of a request, and why, by the rules that the filter goes by. It charges nothing and leaves no trace.
 * Thread-safe.
 *
 * @hidden
 */
public final class RequestExplainer {
    private final ConfiguredPolicies.View<RequestRules> rules;
    private final PolicyLimiter limiter;
    private final ClientAddress client;
    private final ServletContext context;
    private final boolean isSecured;

    /**
     * Creates it.
     *
     * @param isSecured whether Spring Security is what knows the user, so that in front of it nobody is logged in
     */
    public RequestExplainer(
            RequestRules rules,
            PolicyLimiter limiter,
            ClientAddress client,
            ServletContext context,
            boolean isSecured) {
        this.rules = limiter.policies().view(rules::under);
        this.limiter = limiter.onlooker();
        this.client = client;
        this.context = context;
        this.isSecured = isSecured;
    }

    /**
     * Explains what would come of {@code described}.
     *
     * @throws IllegalArgumentException if it has no path within the application, or an address that is none
     */
    public Explanation explain(DescribedRequest described) {
        check(described);
        List<String> failures = new ArrayList<>();
        HttpServletRequest asked = described.asked(context, client, failures, described.principal());
        HttpServletRequest anonymous = isSecured ? described.asked(context, client, failures, null) : asked;
        List<RequestRule> all = rules.get().rules();
        boolean deniedInFront = all.stream()
                .anyMatch(rule ->
                        !rule.needsUser() && explain(rule, anonymous, true).denies());
        List<RuleExplanation> explained = all.stream()
                .map(rule -> rule.needsUser() ? explain(rule, asked, !deniedInFront) : explain(rule, anonymous, true))
                .toList();
        IpAddress peer = described.address() == null ? null : IpAddress.parse(described.address());
        IpAddress from = client.of(asked);
        return new Explanation(
                from == null ? null : client.text(from),
                peer == null || peer.equals(from) ? null : described.address(),
                explained,
                failures.stream().distinct().toList());
    }

    private void check(DescribedRequest described) {
        String start = context.getContextPath() + '/';
        if (!described.path().startsWith(start)) {
            throw new IllegalArgumentException("path must start with " + start + ": " + described.path());
        }
        if (described.address() != null && IpAddress.parse(described.address()) == null) {
            throw new IllegalArgumentException("not an address: " + described.address());
        }
    }

    /** A request that the filter in front of Spring Security denies does not come as far as the one behind it. */
    private RuleExplanation explain(RequestRule rule, HttpServletRequest request, boolean isReached) {
        RequestLine line = new RequestLine(request);
        Charge charge = isReached && isAsked(rule, line, request) ? rule.charge(request, limiter) : null;
        return charge == null
                ? new RuleExplanation(rule.policy(), reason(rule, line, request, isReached), null)
                : new RuleExplanation(rule.policy(), null, planned(rule, charge));
    }

    private static boolean isAsked(RequestRule rule, RequestLine line, HttpServletRequest request) {
        return rule.isApplied() && !CorsUtils.isPreFlightRequest(request) && rule.matches(line);
    }

    private static String reason(RequestRule rule, RequestLine line, HttpServletRequest request, boolean isReached) {
        if (rule.policy().mode() == PolicyMode.OFF) {
            return "its mode is off";
        }
        if (!rule.hasPaths()) {
            return "it has no paths: it is for @RateLimited and for code";
        }
        if (CorsUtils.isPreFlightRequest(request)) {
            return "a CORS preflight is not charged";
        }
        if (!rule.matchesMethod(line)) {
            return "the method is none of " + rule.methods();
        }
        if (!rule.matches(line)) {
            return rule.paths().include(line)
                    ? "the path is excluded by one of " + rule.paths().excluded()
                    : "the path matches none of " + rule.paths().included();
        }
        if (!isReached) {
            return "a policy that is asked before it denies the request";
        }
        return rule.skip().skips(request) ? "it skips this client" : "the request costs no tokens";
    }

    private Planned planned(RequestRule rule, Charge charge) {
        return new Planned(
                charge.key(),
                Keys.sourcesOf(charge.key()),
                planOf(rule.policy(), charge.policy()),
                charge.tokens(),
                limiter.peek(charge.policy(), charge.key(), charge.tokens()),
                limiter.resetAfterNanos(charge.policy(), charge.key()));
    }

    @SuppressWarnings("ReferenceEquality") // two plans may have the same limits
    private static @Nullable String planOf(ConfiguredPolicy policy, Policy charged) {
        return policy.plans().entrySet().stream()
                .filter(plan -> Objects.requireNonNull(plan.getValue()) == charged)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse(null);
    }
}
