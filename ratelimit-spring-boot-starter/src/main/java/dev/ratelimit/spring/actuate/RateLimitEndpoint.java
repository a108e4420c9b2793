package dev.ratelimit.spring.actuate;

import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.PolicyChange;
import dev.ratelimit.spring.PolicyChanger;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.web.RequestExplainer;
import dev.ratelimit.spring.web.RequestKeys;
import dev.ratelimit.spring.web.RequestRule;
import dev.ratelimit.spring.web.RequestRules;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.WebEndpoint;
import org.springframework.util.StringUtils;

/**
 * Shows the policies and whom they deny, explains what comes of a request, and changes policies while requests run.
 * Thread-safe.
 *
 * <p>Keys come in as clients have them, and are made keys of buckets as those of requests are. They never go out.
 *
 * @hidden
 */
@WebEndpoint(id = "ratelimit")
public final class RateLimitEndpoint {
    private static final String POLICIES = "policies";
    private static final String EXPLAIN = "explain";

    private final RequestRules rules;
    private final PolicyDescriptions descriptions;
    private final KeyStates states;
    private final Explanations explanations;
    private final PolicyChanger changer;

    /**
     * Creates the endpoint.
     *
     * @param settings of every policy, by name
     * @param showsKeys whether keys that are denied most are shown as they are
     */
    public RateLimitEndpoint(
            RequestRules rules,
            Map<String, PolicySettings> settings,
            PolicyLimiter limiter,
            RateLimitCounts counts,
            RequestKeys keys,
            RequestExplainer explainer,
            PolicyChanger changer,
            boolean showsKeys) {
        this.rules = rules;
        this.descriptions = new PolicyDescriptions(Map.copyOf(settings), limiter.policies(), counts, keys, showsKeys);
        this.states = new KeyStates(Map.copyOf(settings), limiter, keys);
        this.explanations = new Explanations(explainer, keys);
        this.changer = changer;
    }

    /** Returns all policies, in the order of application.yml. */
    @ReadOperation
    public Map<String, Object> policies() {
        return Map.of(
                POLICIES,
                rules.rules().stream().map(rule -> descriptions.of(rule).map()).toList());
    }

    /**
     * Explains what would come of a request.
     *
     * @param what {@code explain}
     * @param path as a client would send it
     * @param headers one or more, each a name, a colon and a value
     */
    @ReadOperation
    public WebEndpointResponse<Map<String, Object>> explain(
            @Selector String what,
            @Nullable String method,
            @Nullable String path,
            @Nullable String address,
            @Nullable String principal,
            @Nullable Object headers) { // as a list of texts, it would be torn apart at commas
        if (!EXPLAIN.equals(what)) {
            return notFound(
                    POLICIES.equals(what)
                            ? "policies is to be followed by the name of one, as in policies/api"
                            : "there is no " + what);
        }
        return answered(() -> explanations.of(method, path, address, principal, headers));
    }

    /**
     * Returns one policy, and what one key has.
     *
     * @param kind {@code policies}
     * @param key what a client is known by, or several values if the policy's key has several parts
     * @param by what kind of key that is, if not the policy's own
     * @param plan the client's plan, if it has one
     */
    @ReadOperation
    public WebEndpointResponse<Map<String, Object>> policy(
            @Selector String kind,
            @Selector String policy,
            @Nullable Object key,
            @Nullable String by,
            @Nullable String plan) {
        return of(kind, policy, rule -> {
            Answers answer = descriptions.of(rule).with("topDenied", descriptions.topDenied(policy));
            return (key == null ? answer : answer.with("state", states.of(policy, key, by, plan))).map();
        });
    }

    /**
     * Fills the bucket of one key.
     *
     * @param plan the client's plan, if the policy has any: under another one, the bucket would be full with other tokens
     */
    @DeleteOperation
    public WebEndpointResponse<Map<String, Object>> reset(
            @Selector String kind,
            @Selector String policy,
            @Nullable Object key,
            @Nullable String by,
            @Nullable String plan) {
        try {
            return of(kind, policy, rule -> states.reset(policy, key, by, plan));
        } catch (IllegalStateException e) { // Redis did not say that it did so
            return error(String.valueOf(e.getMessage()), WebEndpointResponse.STATUS_SERVICE_UNAVAILABLE);
        }
    }

    /**
     * Changes a policy, and returns it. The actuator takes nothing but texts.
     *
     * @param limits such as {@code 100/1m, 5000/1d}
     * @param plans such as {@code free: 60/1m; pro: 600/1m, 20/1s}
     */
    @WriteOperation
    public WebEndpointResponse<Map<String, Object>> change(
            @Selector String kind,
            @Selector String policy,
            @Nullable String limits,
            @Nullable String plans,
            @Nullable String mode) {
        return of(kind, policy, rule -> {
            if (limits == null && plans == null && mode == null) {
                throw new IllegalArgumentException("limits, plans or mode is missing");
            }
            changer.change(policy, new PolicyChange(limits, plans == null ? null : byPlan(plans), mode));
            return descriptions.of(rule).map();
        });
    }

    private static Map<String, String> byPlan(String plans) {
        Map<String, String> byPlan = new LinkedHashMap<>();
        for (String plan : StringUtils.tokenizeToStringArray(plans, ";")) {
            int colon = plan.lastIndexOf(':'); // there is none in limits
            if (colon < 1) {
                throw new IllegalArgumentException(
                        "plans must be names, colons and limits, such as free: 60/1m; pro: 600/1m");
            }
            byPlan.put(
                    plan.substring(0, colon).strip(), plan.substring(colon + 1).strip());
        }
        return byPlan;
    }

    /** Answers what is asked of a policy, if there is one of that name. */
    private WebEndpointResponse<Map<String, Object>> of(
            String kind, String policy, Function<RequestRule, Map<String, Object>> answer) {
        if (!POLICIES.equals(kind)) {
            return notFound("there is no " + kind);
        }
        for (RequestRule rule : rules.rules()) {
            if (rule.policy().policy().name().equals(policy)) {
                return answered(() -> answer.apply(rule));
            }
        }
        return notFound("no policy is named \"" + policy + "\"; there are: "
                + rules.rules().stream()
                        .map(rule -> rule.policy().policy().name())
                        .collect(Collectors.joining(", ")));
    }

    private static WebEndpointResponse<Map<String, Object>> answered(Supplier<Map<String, Object>> answer) {
        try {
            return new WebEndpointResponse<>(answer.get());
        } catch (InvalidRateLimitException | IllegalArgumentException e) {
            return error(String.valueOf(e.getMessage()), WebEndpointResponse.STATUS_BAD_REQUEST);
        }
    }

    private static WebEndpointResponse<Map<String, Object>> notFound(String error) {
        return error(error, WebEndpointResponse.STATUS_NOT_FOUND);
    }

    private static WebEndpointResponse<Map<String, Object>> error(String error, int status) {
        return new WebEndpointResponse<>(Map.of("error", error), status);
    }
}
