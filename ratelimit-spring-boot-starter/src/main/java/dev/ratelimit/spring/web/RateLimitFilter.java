package dev.ratelimit.spring.web;

import dev.ratelimit.Claim;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.PolicyMode;
import dev.ratelimit.spring.RateLimitExceededException;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.http.server.PathContainer;
import org.springframework.web.cors.CorsUtils;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.util.ServletRequestPathUtils;

/**
 * Charges each request to every policy whose paths and methods match it, all or nothing, and answers with 429 what is over
 * a limit. Thread-safe.
 *
 * <p>Paths are matched as the handlers' are, on the parsed path and after decoding, so that no spelling of it reaches a
 * handler and not the limit. A request is charged once, whatever dispatches it goes through; a CORS preflight is not
 * charged. A {@link RateLimitExceededException} that comes back through the chain gets the same answer.
 */
public final class RateLimitFilter extends OncePerRequestFilter {
    private static final AtomicLong INSTANCES = new AtomicLong();

    private final String alreadyFiltered =
            RateLimitFilter.class.getName() + '.' + INSTANCES.incrementAndGet() + ALREADY_FILTERED_SUFFIX;
    private final List<RequestRule> rules;
    private final PolicyLimiter limiter;
    private final RateLimitAnswer answer;

    /** Creates a filter of those rules, in the order in which the answer lists them. */
    public RateLimitFilter(RequestRules rules, PolicyLimiter limiter, RateLimitAnswer answer) {
        this.rules = rules.rules().stream()
                .filter(rule -> !rule.paths().isEmpty() && rule.policy().mode() != PolicyMode.OFF)
                .toList();
        this.limiter = limiter;
        this.answer = answer;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        List<PolicyDecision> decisions = decide(request);
        answer.decided(request, response, decisions);
        List<PolicyDecision> violations = PolicyDecision.violationsIn(decisions);
        if (!violations.isEmpty()) {
            answer.denied(request, response, violations);
            return;
        }
        try {
            chain.doFilter(request, response);
        } catch (RateLimitExceededException e) {
            if (response.isCommitted()) {
                throw e;
            }
            answer.denied(request, response, e.violations());
        }
    }

    private List<PolicyDecision> decide(HttpServletRequest request) {
        List<Claim> claims = CorsUtils.isPreFlightRequest(request) ? List.of() : claims(request);
        return claims.isEmpty() ? List.of() : limiter.decide(claims);
    }

    private List<Claim> claims(HttpServletRequest request) {
        if (rules.isEmpty()) {
            return List.of();
        }
        // parsed anew, as the dispatcher will: a path that another filter parsed may have been rewritten since
        PathContainer path = ServletRequestPathUtils.parse(request).pathWithinApplication();
        List<Claim> claims = new ArrayList<>(rules.size());
        for (RequestRule rule : rules) {
            if (rule.matches(request, path)) {
                if (rule.policy().mode() == PolicyMode.SHADOW) {
                    limiter.shadow(() -> rule.claim(request));
                } else {
                    claims.add(rule.claim(request));
                }
            }
        }
        return claims;
    }

    /** By instance, so that two of these filters in one chain are both run. */
    @Override
    protected String getAlreadyFilteredAttributeName() {
        return alreadyFiltered;
    }
}
