package dev.ratelimit.spring.actuate;

import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.DeniedKey;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.Penalty;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.web.RequestKeys;
import dev.ratelimit.spring.web.RequestRule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What the endpoint shows of a policy: what it says now, and what has come of it. Thread-safe.
 *
 * @param showsKeys whether keys that are denied most are shown as they are
 */
record PolicyDescriptions(
        Map<String, PolicySettings> settings,
        ConfiguredPolicies policies,
        RateLimitCounts counts,
        RequestKeys keys,
        boolean showsKeys) {
    private static final int TOP = 20;

    Answers of(RequestRule rule) {
        String name = rule.policy().policy().name();
        ConfiguredPolicy policy = Objects.requireNonNull(policies.find(name));
        PolicySettings said = Objects.requireNonNull(settings.get(name));
        Answers answer = new Answers()
                .with("policy", name)
                .with("mode", Answers.text(policy.mode()))
                .with("backend", said.backend())
                .with("onFailure", said.onFailure().isEmpty() ? null : said.onFailure());
        addLimits(policy, answer);
        return answer.with("key", String.join(", ", said.key()))
                .with("paths", Answers.texts(rule.paths().included()))
                .with("exclude", Answers.texts(rule.paths().excluded()))
                .with("methods", rule.methods().stream().sorted().toList())
                .with("tokens", said.tokens())
                .with("chargeOn", said.chargeOn())
                .with("skip", said.skip())
                .with("counts", countsOf(name));
    }

    private static void addLimits(ConfiguredPolicy policy, Answers answer) {
        if (policy.plans().isEmpty()) {
            answer.with("limits", limits(policy.policy()));
        } else {
            Map<String, Object> plans = new TreeMap<>();
            policy.plans().forEach((plan, limits) -> plans.put(plan, limits(limits)));
            answer.with("plans", plans);
        }
        Penalty penalty = policy.penalty();
        if (penalty != null) {
            Map<String, Object> shown = Map.of(
                    "limits",
                    Answers.texts(penalty.limits()),
                    "for",
                    penalty.term().toString());
            answer.with("penalty", shown);
        }
    }

    static List<String> limits(Policy policy) {
        return Answers.texts(policy.limits());
    }

    private Map<String, Object> countsOf(String policy) {
        Map<String, Object> all = new LinkedHashMap<>();
        for (Outcome outcome : Outcome.values()) {
            all.put(Answers.text(outcome), counts.count(policy, outcome));
        }
        return all;
    }

    List<Map<String, Object>> topDenied(String policy) {
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
}
