package dev.ratelimit.spring.web;

import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.TokenCost;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which requests a policy applies to, whose bucket they are charged to, and how much. Immutable.
 *
 * @param methods names of methods, one of which has to match, or none for all; GET covers HEAD
 * @param cost what a request costs, or null for what the policy says
 * @param chargeOn the statuses that a request stays charged for
 */
public record RequestRule(
        ConfiguredPolicy policy,
        RequestKey key,
        RequestPaths paths,
        Set<String> methods,
        @Nullable TokenCost cost,
        ChargedStatuses chargeOn) {

    /** Whether the filter applies this rule at all. */
    public boolean hasPaths() {
        return !paths.isEmpty();
    }

    boolean matches(RequestLine request) {
        return (methods.isEmpty() || methods.contains(coveringMethod(request.method()))) && paths.match(request);
    }

    /** Spring serves HEAD by the handlers of GET. */
    private String coveringMethod(String method) {
        return "HEAD".equals(method) && !methods.contains(method) ? "GET" : method;
    }

    /** Returns what {@code request} costs; 0 if it is free. */
    long tokens(HttpServletRequest request) {
        if (cost == null) {
            return policy.tokens();
        }
        try {
            long tokens = cost.tokens(request);
            return tokens < 0 ? 1 : tokens;
        } catch (RuntimeException e) {
            return 1;
        }
    }
}
