package dev.ratelimit.spring.web;

import dev.ratelimit.Claim;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.RequestSkip;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.Set;
import org.springframework.http.server.PathContainer;
import org.springframework.web.util.pattern.PathPattern;

/**
 * Which requests a policy applies to, whose bucket they are charged to, and under which limits. Immutable.
 *
 * @param paths patterns, one of which has to match; none if the filter leaves the policy alone
 * @param methods names of methods, one of which has to match, or none for all; GET covers HEAD
 * @param skip which of those requests the policy leaves alone all the same
 */
public record RequestRule(
        ConfiguredPolicy policy,
        RequestKey key,
        List<PathPattern> paths,
        Set<String> methods,
        RequestPlan plan,
        RequestSkip skip) {

    boolean matches(HttpServletRequest request, PathContainer path) {
        return covers(request, path) && !skip.skips(request);
    }

    private boolean covers(HttpServletRequest request, PathContainer path) {
        if (!methods.isEmpty() && !methods.contains(methodOf(request))) {
            return false;
        }
        for (PathPattern pattern : paths) {
            if (pattern.matches(path)) {
                return true;
            }
        }
        return false;
    }

    /** Spring serves HEAD by the handlers of GET. */
    private String methodOf(HttpServletRequest request) {
        String method = request.getMethod();
        return "HEAD".equals(method) && !methods.contains(method) ? "GET" : method;
    }

    Claim claim(HttpServletRequest request) {
        return new Claim(plan.of(request), key.of(request), policy.tokens());
    }
}
