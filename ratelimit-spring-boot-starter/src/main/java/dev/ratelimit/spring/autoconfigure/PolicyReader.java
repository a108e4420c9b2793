package dev.ratelimit.spring.autoconfigure;

import static dev.ratelimit.spring.autoconfigure.RateLimitProperties.property;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.Penalty;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.Backend;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.PolicyProperties;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads what the policies of application.yml are, and refuses what they cannot be. Immutable. */
record PolicyReader(RateLimitProperties properties) {
    /** With the strictest, no more limits of one name than the limiter can tell apart. */
    private static final int MAX_PLANS = 63;

    /**
     * Returns all of them.
     *
     * @throws InvalidRateLimitException if one means nothing
     */
    ConfiguredPolicies read() {
        Map<String, String> uniform = new HashMap<>();
        for (String name : properties.policies().keySet()) {
            String twin = uniform.put(name.replaceAll("[^A-Za-z0-9]", "").toLowerCase(Locale.ROOT), name);
            if (twin != null) {
                throw new InvalidRateLimitException(
                        "ratelimit.policies." + name,
                        "has a name that an environment variable could not tell from " + twin);
            }
        }
        List<ConfiguredPolicy> policies = new ArrayList<>();
        for (String name : properties.policies().keySet()) {
            policies.add(read(name));
        }
        return new ConfiguredPolicies(policies);
    }

    private ConfiguredPolicy read(String name) {
        if (name.isBlank() || name.chars().anyMatch(c -> c < ' ' || c > '~')) {
            throw new InvalidRateLimitException(
                    "ratelimit.policies." + name, "has a name that is not printable ASCII, as header fields are");
        }
        PolicyProperties said = properties.policies().get(name);
        if (said == null || (said.limits().isEmpty() && said.plans().isEmpty())) {
            throw new InvalidRateLimitException(
                    property(name, "limits"), "is missing, but a policy needs at least one limit, such as 100/1m");
        }
        checkBackend(name, said);
        Map<String, Policy> plans = plans(name, said);
        Policy policy = plans.isEmpty()
                ? new Policy(name, LimitProperties.limits(said.limits(), property(name, "limits")))
                : ConfiguredPolicy.strictest(plans.values());
        Long fixed = said.fixedTokens();
        long tokens = fixed == null ? 1 : fixed;
        checkTokens(tokens, policy.limits(), property(name, "tokens"));
        return new ConfiguredPolicy(policy, tokens, said.mode(), plans, penalty(said, policy, plans.values()));
    }

    private void checkBackend(String name, PolicyProperties said) {
        if (said.backend() == Backend.LOCAL && said.onFailure() != null) {
            throw new InvalidRateLimitException(
                    property(name, "on-failure"), "means nothing beside " + property(name, "backend") + ": local");
        }
        if (properties.isInRedis(said) && properties.keySecret() == null && said.isKeyedBySecret()) {
            throw new InvalidRateLimitException(
                    "ratelimit.key-secret",
                    "is missing, but " + property(name, "key") + " is " + said.key()
                            + " and its buckets are in Redis,"
                            + " where instances agree on them only if they hash under the same secret");
        }
    }

    private static Map<String, Policy> plans(String name, PolicyProperties said) {
        if (!said.plans().isEmpty() && !said.limits().isEmpty()) {
            throw new InvalidRateLimitException(
                    property(name, "plans"), "stands beside " + property(name, "limits") + ", which it is in place of");
        }
        if (said.plans().size() > MAX_PLANS) {
            throw new InvalidRateLimitException(
                    property(name, "plans"), "has " + said.plans().size() + ", but may have " + MAX_PLANS);
        }
        Map<String, Policy> plans = new LinkedHashMap<>();
        said.plans()
                .forEach((plan, limits) -> plans.put(
                        plan, new Policy(name, LimitProperties.limits(limits, property(name, "plans." + plan)))));
        return plans;
    }

    private @Nullable Penalty penalty(PolicyProperties said, Policy policy, Collection<Policy> plans) {
        if (said.penalty() == null) {
            return null;
        }
        for (String name : Penalty.names(policy.name())) {
            if (properties.policies().containsKey(name)) {
                throw new InvalidRateLimitException(
                        "ratelimit.policies." + name,
                        "has the name of what the penalty of " + policy.name() + " counts");
            }
        }
        List<Policy> all = new ArrayList<>(plans);
        all.add(policy);
        return said.penalty().penalty(property(policy.name(), "penalty"), all);
    }

    private static void checkTokens(long tokens, List<Limit> limits, String property) {
        if (tokens < 1) {
            throw new InvalidRateLimitException(property, "is " + tokens + ", but must be at least 1");
        }
        for (Limit limit : limits) {
            if (tokens > limit.capacity()) {
                throw new InvalidRateLimitException(
                        property, "is " + tokens + ", which is more than the limit " + limit + " can ever grant");
            }
        }
    }
}
