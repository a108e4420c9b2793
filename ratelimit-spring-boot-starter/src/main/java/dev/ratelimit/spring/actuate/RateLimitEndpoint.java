package dev.ratelimit.spring.actuate;

import dev.ratelimit.KeyDigest;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.DeniedKey;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.Penalty;
import dev.ratelimit.spring.PolicyChange;
import dev.ratelimit.spring.PolicyChanger;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.web.DescribedRequest;
import dev.ratelimit.spring.web.Explanation;
import dev.ratelimit.spring.web.RequestExplainer;
import dev.ratelimit.spring.web.RequestKeys;
import dev.ratelimit.spring.web.RequestRule;
import dev.ratelimit.spring.web.RequestRules;
import dev.ratelimit.spring.web.RuleExplanation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.WriteOperation;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.WebEndpoint;
import org.springframework.http.HttpHeaders;
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
    private static final int TOP = 20;

    private final RequestRules rules;
    private final Map<String, PolicySettings> settings;
    private final PolicyLimiter limiter;
    private final RateLimitCounts counts;
    private final RequestKeys keys;
    private final RequestExplainer explainer;
    private final PolicyChanger changer;
    private final boolean showsKeys;

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
        this.settings = Map.copyOf(settings);
        this.limiter = limiter;
        this.counts = counts;
        this.keys = keys;
        this.explainer = explainer;
        this.changer = changer;
        this.showsKeys = showsKeys;
    }

    /** Returns all policies, in the order of application.yml. */
    @ReadOperation
    public Map<String, Object> policies() {
        return Map.of(
                POLICIES,
                rules.rules().stream().map(rule -> description(rule).map()).toList());
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
        if (path == null) {
            return wrong("path is missing");
        }
        return answered(() -> explanation(explainer.explain(new DescribedRequest(
                method == null ? "GET" : method.toUpperCase(Locale.ROOT),
                path,
                address,
                principal,
                headers(headers)))));
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
        RequestRule rule = find(kind, policy);
        return rule == null
                ? unknown(kind, policy)
                : answered(() -> {
                    Answers answer = description(rule).with("topDenied", topDenied(policy));
                    return (key == null
                                    ? answer
                                    : answer.with("state", stateOf(policy, bucketKey(policy, key, by), plan)))
                            .map();
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
        RequestRule rule = find(kind, policy);
        if (rule == null) {
            return unknown(kind, policy);
        }
        if (key == null && !settings(policy).key().equals(List.of("global"))) {
            return wrong("key is missing");
        }
        if (plan == null && !current(policy).plans().isEmpty()) {
            return wrong("plan is missing; there are: " + plansOf(current(policy)));
        }
        try {
            return answered(() -> {
                String bucket = bucketKey(policy, key == null ? "" : key, by);
                limiter.reset(limits(policy, plan), bucket);
                return stateOf(policy, bucket, plan);
            });
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
        RequestRule rule = find(kind, policy);
        if (rule == null) {
            return unknown(kind, policy);
        }
        if (limits == null && plans == null && mode == null) {
            return wrong("limits, plans or mode is missing");
        }
        return answered(() -> {
            changer.change(policy, new PolicyChange(limits, plans == null ? null : byPlan(plans), mode));
            return description(rule).map();
        });
    }

    private @Nullable RequestRule find(String kind, String policy) {
        return !POLICIES.equals(kind)
                ? null
                : rules.rules().stream()
                        .filter(rule -> rule.policy().policy().name().equals(policy))
                        .findFirst()
                        .orElse(null);
    }

    private Answers description(RequestRule rule) {
        String name = rule.policy().policy().name();
        ConfiguredPolicy policy = current(name);
        PolicySettings said = settings(name);
        Answers answer = new Answers()
                .with("policy", name)
                .with("mode", text(policy.mode()))
                .with("backend", said.backend())
                .with("onFailure", said.onFailure().isEmpty() ? null : said.onFailure());
        if (policy.plans().isEmpty()) {
            answer.with("limits", limits(policy.policy()));
        } else {
            Map<String, Object> plans = new TreeMap<>();
            policy.plans().forEach((plan, limits) -> plans.put(plan, limits(limits)));
            answer.with("plans", plans);
        }
        Penalty penalty = policy.penalty();
        if (penalty != null) {
            answer.with(
                    "penalty",
                    Map.of(
                            "limits",
                            texts(penalty.limits()),
                            "for",
                            penalty.term().toString()));
        }
        return answer.with("key", String.join(", ", said.key()))
                .with("paths", texts(rule.paths().included()))
                .with("exclude", texts(rule.paths().excluded()))
                .with("methods", rule.methods().stream().sorted().toList())
                .with("tokens", said.tokens())
                .with("chargeOn", said.chargeOn())
                .with("skip", said.skip())
                .with("counts", counts(name));
    }

    private Map<String, Object> counts(String policy) {
        Map<String, Object> all = new LinkedHashMap<>();
        for (Outcome outcome : Outcome.values()) {
            all.put(text(outcome), counts.count(policy, outcome));
        }
        return all;
    }

    private List<Map<String, Object>> topDenied(String policy) {
        List<Map<String, Object>> top = new ArrayList<>();
        for (DeniedKey each : counts.topDenied(policy).stream().limit(TOP).toList()) {
            top.add(new Answers()
                    .with("key", shown(each.key()))
                    .with("denials", each.denials())
                    .map());
        }
        return top;
    }

    private String shown(String key) {
        List<String> parts = showsKeys ? Keys.partsOf(key) : List.of();
        return parts.isEmpty() ? keys.hashOf(key) : String.join(" ", parts);
    }

    /** Returns the hash of a key as a request has it; those that are denied most are kept as their digests. */
    private String hashOf(String key) {
        return keys.hashOf(KeyDigest.of(key));
    }

    private String bucketKey(String policy, Object value, @Nullable String by) {
        List<String> parts = by == null ? settings(policy).key() : List.of(by);
        List<String> values = texts(value);
        return keys.keyOf(parts, parts.size() == 1 ? List.of(String.join(",", values)) : values);
    }

    private Map<String, Object> stateOf(String policy, String key, @Nullable String plan) {
        Policy limits = limits(policy, plan);
        PolicyDecision decided = limiter.peek(limits, key, 1);
        return new Answers()
                .with("hash", hashOf(key))
                .with("penalized", decided.penalized() ? true : null)
                .with(decided.decision(), 1, limiter.resetAfterNanos(limits, key))
                .map();
    }

    private Policy limits(String policy, @Nullable String plan) {
        ConfiguredPolicy configured = current(policy);
        Policy limits = plan == null ? configured.policy() : configured.plan(plan);
        if (limits == null) {
            throw new IllegalArgumentException("no plan is named \"" + plan + "\"; there are: "
                    + (configured.plans().isEmpty() ? "none" : plansOf(configured)));
        }
        return limits;
    }

    private static String plansOf(ConfiguredPolicy policy) {
        return String.join(", ", new TreeMap<>(policy.plans()).keySet());
    }

    private Map<String, Object> explanation(Explanation explained) {
        return new Answers()
                .with("client", explained.client())
                .with("proxy", explained.proxy())
                .with("allowed", explained.allowed())
                .with(
                        POLICIES,
                        explained.rules().stream().map(this::explanation).toList())
                .with("failures", explained.failures().isEmpty() ? null : explained.failures())
                .map();
    }

    private Map<String, Object> explanation(RuleExplanation rule) {
        ConfiguredPolicy policy = rule.policy();
        RuleExplanation.Planned charge = rule.charge();
        Answers answer = new Answers()
                .with("policy", policy.policy().name())
                .with("mode", text(policy.mode()))
                .with("asked", charge != null)
                .with("reason", rule.reason());
        if (charge != null) {
            PolicyDecision decided = charge.decision();
            answer.with("keyFrom", charge.sources())
                    .with("keyHash", hashOf(charge.key()))
                    .with("plan", policy.plans().isEmpty() ? null : charge.plan() == null ? "unknown" : charge.plan())
                    .with("limits", limits(decided.policy()))
                    .with("penalized", decided.penalized() ? true : null)
                    .with("tokens", charge.tokens())
                    .with(decided.decision(), charge.tokens(), charge.resetAfterNanos());
        }
        return answer.map();
    }

    private ConfiguredPolicy current(String policy) {
        return Objects.requireNonNull(limiter.policies().find(policy));
    }

    private PolicySettings settings(String policy) {
        return Objects.requireNonNull(settings.get(policy));
    }

    private static List<String> limits(Policy policy) {
        return texts(policy.limits());
    }

    private static HttpHeaders headers(@Nullable Object described) {
        HttpHeaders headers = new HttpHeaders();
        for (String line : described == null ? List.<String>of() : texts(described)) {
            int colon = line.indexOf(':');
            if (colon < 1) {
                throw new IllegalArgumentException("headers must be a name, a colon and a value");
            }
            headers.add(
                    line.substring(0, colon).strip(), line.substring(colon + 1).strip());
        }
        return headers;
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

    private static List<String> texts(Object value) {
        return value instanceof Collection<?> values
                ? values.stream().map(String::valueOf).toList()
                : List.of(String.valueOf(value));
    }

    private static String text(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static WebEndpointResponse<Map<String, Object>> answered(Supplier<Map<String, Object>> answer) {
        try {
            return new WebEndpointResponse<>(answer.get());
        } catch (InvalidRateLimitException | IllegalArgumentException e) {
            return wrong(String.valueOf(e.getMessage()));
        }
    }

    private WebEndpointResponse<Map<String, Object>> unknown(String kind, String policy) {
        return notFound(
                !POLICIES.equals(kind)
                        ? "there is no " + kind
                        : "no policy is named \"" + policy + "\"; there are: "
                                + String.join(", ", limiter.policies().now().keySet()));
    }

    private static WebEndpointResponse<Map<String, Object>> notFound(String error) {
        return error(error, WebEndpointResponse.STATUS_NOT_FOUND);
    }

    private static WebEndpointResponse<Map<String, Object>> wrong(String error) {
        return error(error, WebEndpointResponse.STATUS_BAD_REQUEST);
    }

    private static WebEndpointResponse<Map<String, Object>> error(String error, int status) {
        return new WebEndpointResponse<>(Map.of("error", error), status);
    }
}
