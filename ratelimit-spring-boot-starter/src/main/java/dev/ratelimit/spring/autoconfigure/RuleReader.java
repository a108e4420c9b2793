package dev.ratelimit.spring.autoconfigure;

import static dev.ratelimit.spring.autoconfigure.RateLimitProperties.property;

import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.TokenCost;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.PolicyProperties;
import dev.ratelimit.spring.web.ChargedStatuses;
import dev.ratelimit.spring.web.RequestKey;
import dev.ratelimit.spring.web.RequestKeys;
import dev.ratelimit.spring.web.RequestPaths;
import dev.ratelimit.spring.web.RequestPlans;
import dev.ratelimit.spring.web.RequestRule;
import dev.ratelimit.spring.web.RequestSkips;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;
import org.springframework.web.util.pattern.PatternParseException;

/**
 * Reads which requests a policy of application.yml applies to, and what they cost. Immutable.
 *
 * @param actuator the path that the actuator's endpoints have in common, or / if there is none
 */
record RuleReader(
        RequestKeys keys,
        RequestPlans plans,
        RequestSkips skips,
        Map<String, TokenCost> costs,
        PathPatternParser patterns,
        String actuator) {
    RequestRule read(ConfiguredPolicy configured, PolicyProperties policy) {
        String name = configured.policy().name();
        if (policy.paths() == null) {
            refuse(policy.exclude() != null, name, "exclude");
            refuse(!policy.methods().isEmpty(), name, "methods");
            refuse(policy.fixedTokens() == null, name, "tokens");
            refuse(!policy.chargeOn().isEmpty(), name, "charge-on");
        }
        RequestKey key = keys.of(policy.key(), property(name, "key"));
        if (configured.penalty() != null && key.equals(RequestKey.GLOBAL)) {
            throw new InvalidRateLimitException(
                    property(name, "penalty"), "would be everybody's, as the policy's key is global");
        }
        return new RequestRule(
                configured,
                key,
                paths(name, policy),
                methods(name, policy),
                cost(name, policy),
                ChargedStatuses.of(policy.chargeOn(), property(name, "charge-on")),
                plans.of(configured, property(name, "plans")),
                skips.of(policy.skip(), property(name, "skip")));
    }

    private static void refuse(boolean present, String name, String property) {
        if (present) {
            throw new InvalidRateLimitException(
                    property(name, property), "means nothing without " + property(name, "paths"));
        }
    }

    private RequestPaths paths(String name, PolicyProperties policy) {
        List<String> paths = policy.paths();
        if (paths == null) {
            return new RequestPaths(List.of(), List.of(), patterns.isCaseSensitive());
        }
        if (paths.isEmpty()) {
            throw new InvalidRateLimitException(
                    property(name, "paths"), "is empty, but must have a path pattern, such as /api/**");
        }
        List<String> excluded = policy.exclude() == null ? excludedByDefault(paths) : policy.exclude();
        return new RequestPaths(
                patterns(paths, property(name, "paths")),
                patterns(excluded, property(name, "exclude")),
                patterns.isCaseSensitive());
    }

    /** What asks after the application's health should not be told to come back later, unless a policy is meant for that. */
    private List<String> excludedByDefault(List<String> paths) {
        String base = actuator.endsWith("/") ? actuator.substring(0, actuator.length() - 1) : actuator;
        boolean meant = paths.stream().anyMatch(path -> path.equals(base) || path.startsWith(base + "/"));
        return meant ? List.of() : List.of(base + "/**");
    }

    private List<PathPattern> patterns(List<String> paths, String property) {
        List<PathPattern> patterns = new ArrayList<>();
        for (String path : paths) {
            patterns.add(pattern(path, property));
        }
        return patterns;
    }

    private PathPattern pattern(String path, String property) {
        if (!path.startsWith("/")) {
            throw new InvalidRateLimitException(
                    property, "has \"" + path + "\", but a path pattern starts with a slash");
        }
        try {
            return patterns.parse(path);
        } catch (PatternParseException e) {
            throw new InvalidRateLimitException(
                    property, "has \"" + path + "\", which is no path pattern: " + e.getMessage());
        }
    }

    private static Set<String> methods(String name, PolicyProperties policy) {
        Set<String> methods = new HashSet<>();
        for (String method : policy.methods()) {
            methods.add(method(method, property(name, "methods")));
        }
        return Set.copyOf(methods);
    }

    private static String method(String method, String property) {
        String upper = method.toUpperCase(Locale.ROOT);
        if (RequestMethod.resolve(upper) == null) {
            throw new InvalidRateLimitException(
                    property, "has \"" + method + "\", which is no HTTP method that Spring MVC serves");
        }
        return upper;
    }

    private @Nullable TokenCost cost(String name, PolicyProperties policy) {
        if (policy.fixedTokens() != null) {
            return null;
        }
        TokenCost cost = costs.get(policy.tokens());
        if (cost == null) {
            throw new InvalidRateLimitException(
                    property(name, "tokens"),
                    "is \"" + policy.tokens() + "\", but must be a number or the name of a TokenCost bean; there are: "
                            + (costs.isEmpty() ? "none" : String.join(", ", costs.keySet())));
        }
        return cost;
    }
}
