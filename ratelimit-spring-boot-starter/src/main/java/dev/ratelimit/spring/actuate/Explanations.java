package dev.ratelimit.spring.actuate;

import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.web.DescribedRequest;
import dev.ratelimit.spring.web.Explanation;
import dev.ratelimit.spring.web.RequestExplainer;
import dev.ratelimit.spring.web.RequestKeys;
import dev.ratelimit.spring.web.RuleExplanation;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/** What the endpoint says of a request that somebody describes. Thread-safe. */
record Explanations(RequestExplainer explainer, RequestKeys keys) {

    /**
     * Explains what would come of a request.
     *
     * @param headers one or more, each a name, a colon and a value
     * @throws IllegalArgumentException if there can be no such request
     */
    Map<String, Object> of(
            @Nullable String method,
            @Nullable String path,
            @Nullable String address,
            @Nullable String principal,
            @Nullable Object headers) {
        if (path == null) {
            throw new IllegalArgumentException("path is missing");
        }
        String upper = method == null ? "GET" : method.toUpperCase(Locale.ROOT);
        Explanation explained =
                explainer.explain(new DescribedRequest(upper, path, address, principal, headers(headers)));
        return new Answers()
                .with("client", explained.client())
                .with("proxy", explained.proxy())
                .with("allowed", explained.allowed())
                .with("policies", explained.rules().stream().map(this::of).toList())
                .with("failures", explained.failures().isEmpty() ? null : explained.failures())
                .map();
    }

    private static HttpHeaders headers(@Nullable Object described) {
        HttpHeaders headers = new HttpHeaders();
        for (String line : described == null ? List.<String>of() : Answers.texts(described)) {
            int colon = line.indexOf(':');
            if (colon < 1) {
                throw new IllegalArgumentException("headers must be a name, a colon and a value");
            }
            headers.add(
                    line.substring(0, colon).strip(), line.substring(colon + 1).strip());
        }
        return headers;
    }

    private Map<String, Object> of(RuleExplanation rule) {
        ConfiguredPolicy policy = rule.policy();
        RuleExplanation.Planned charge = rule.charge();
        Answers answer = new Answers()
                .with("policy", policy.policy().name())
                .with("mode", Answers.text(policy.mode()))
                .with("asked", charge != null)
                .with("reason", rule.reason());
        if (charge != null) {
            PolicyDecision decided = charge.decision();
            answer.with("keyFrom", charge.sources())
                    .with("keyHash", KeyStates.hashOf(charge.key(), keys))
                    .with("plan", policy.plans().isEmpty() ? null : charge.plan() == null ? "unknown" : charge.plan())
                    .with("limits", PolicyDescriptions.limits(decided.policy()))
                    .with("penalized", decided.penalized() ? true : null)
                    .with("tokens", charge.tokens())
                    .with(decided.decision(), charge.tokens(), charge.resetAfterNanos());
        }
        return answer.map();
    }
}
