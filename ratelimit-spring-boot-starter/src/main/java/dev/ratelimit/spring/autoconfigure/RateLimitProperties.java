package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.Synchronization;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.InvalidRateLimitException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What application.yml says under {@code ratelimit}. A property that is not here stops the start, since a typo must not
 * switch a limit off.
 *
 * @param enabled Whether the filter and the annotation limit anything
 * @param policies The policies by name
 * @param local The limiter that keeps its buckets in this process
 */
@ConfigurationProperties(prefix = "ratelimit", ignoreUnknownFields = false)
record RateLimitProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue Map<String, PolicyProperties> policies,
        @DefaultValue LocalProperties local) {

    /**
     * One policy.
     *
     * @param limits Limits that hold together, as text such as 100/1m or 100/1m burst 200, or in parts: capacity,
     *     refill-tokens and refill-period
     * @param key Whose bucket a request is charged to: ip, principal, global, header:NAME, cookie:NAME or the name of a
     *     KeyResolver bean; without one, the only KeyResolver bean or else ip
     * @param paths Path patterns of the requests that the filter charges, such as /api/**; none leaves the policy to
     *     annotations and code
     * @param methods HTTP methods of the requests that the filter charges, GET covering HEAD; none means all
     * @param tokens How many tokens a request or a call costs
     */
    record PolicyProperties(
            @DefaultValue List<LimitProperties> limits,
            @Nullable String key,
            @DefaultValue List<String> paths,
            @DefaultValue List<String> methods,
            @DefaultValue("1") long tokens) {}

    /**
     * The limiter that keeps its buckets in this process.
     *
     * @param maximumKeys How many keys are tracked for each policy
     * @param synchronization How a bucket is guarded against threads that consume at the same time
     */
    record LocalProperties(
            @DefaultValue("100000") long maximumKeys,
            @DefaultValue("cas") Synchronization synchronization) {

        LocalProperties {
            if (maximumKeys < 1) {
                throw new InvalidRateLimitException(
                        "ratelimit.local.maximum-keys", "is " + maximumKeys + ", but must be at least 1");
            }
            if (synchronization == Synchronization.THREAD_LOCAL) {
                throw new InvalidRateLimitException(
                        "ratelimit.local.synchronization",
                        "is thread_local, under which a client would have a budget for each thread that serves it");
            }
        }
    }

    ConfiguredPolicies configuredPolicies() {
        Map<String, String> uniform = new HashMap<>();
        for (String name : policies.keySet()) {
            String twin = uniform.put(name.replaceAll("[^A-Za-z0-9]", "").toLowerCase(Locale.ROOT), name);
            if (twin != null) {
                throw new InvalidRateLimitException(
                        "ratelimit.policies." + name,
                        "has a name that an environment variable could not tell from " + twin);
            }
        }
        return new ConfiguredPolicies(
                policies.keySet().stream().map(this::configuredPolicy).toList());
    }

    private ConfiguredPolicy configuredPolicy(String name) {
        if (name.isBlank() || name.chars().anyMatch(c -> c < ' ' || c > '~')) {
            throw new InvalidRateLimitException(
                    "ratelimit.policies." + name, "has a name that is not printable ASCII, as header fields are");
        }
        PolicyProperties properties = policies.get(name);
        if (properties == null || properties.limits.isEmpty()) {
            throw new InvalidRateLimitException(
                    property(name, "limits"), "is missing, but a policy needs at least one limit, such as 100/1m");
        }
        List<Limit> limits = new ArrayList<>();
        for (LimitProperties limit : properties.limits) {
            limits.add(limit.limit(property(name, "limits[" + limits.size() + "]")));
        }
        checkTokens(properties.tokens, limits, property(name, "tokens"));
        return new ConfiguredPolicy(new Policy(name, limits), properties.tokens);
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

    static String property(String policy, String property) {
        return "ratelimit.policies." + policy + '.' + property;
    }
}
