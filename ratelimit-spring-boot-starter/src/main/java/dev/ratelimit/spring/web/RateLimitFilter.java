package dev.ratelimit.spring.web;

import dev.ratelimit.Claim;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.PolicyReservation;
import dev.ratelimit.spring.RateLimitExceededException;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.web.cors.CorsUtils;

/**
 * Charges each request to every policy whose paths and methods match it, all or nothing, and answers with 429 what is over
 * a limit. Thread-safe.
 *
 * <p>Several of these filters may stand in one chain: one in front of Spring Security, whose answers then cost the client too,
 * and one behind it, which knows the user. A request that a later one denies gets back what the earlier ones took, but for what
 * has flowed in again by then. All of them go by the policies as they were when the first one was asked.
 *
 * <p>Paths are matched as the handlers' are, on the parsed path and after decoding, so that no spelling of it reaches a
 * handler and not the limit. A request is charged once, whatever dispatches it goes through; a CORS preflight is not
 * charged. A {@link RateLimitExceededException} that comes back through the chain, by itself or as a cause, gets the same answer.
 *
 * @hidden
 */
public final class RateLimitFilter implements Filter {
    private final ConfiguredPolicies.View<Applied> applied;
    private final PolicyLimiter limiter;
    private final RateLimitAnswer answer;
    private final boolean isLast;

    /** Creates a filter of those rules, in the order in which the answer lists them; others may stand behind it. */
    public RateLimitFilter(RequestRules rules, PolicyLimiter limiter, RateLimitAnswer answer) {
        this(rules, limiter, answer, /* isLast= */ false);
    }

    /**
     * Creates a filter of those rules, in the order in which the answer lists them.
     *
     * @param isLast whether no other one stands behind it, so that it need not remember what to give back
     */
    public RateLimitFilter(RequestRules rules, PolicyLimiter limiter, RateLimitAnswer answer, boolean isLast) {
        this.applied = limiter.policies().view(now -> Applied.of(rules.under(now)));
        this.limiter = limiter;
        this.answer = answer;
        this.isLast = isLast;
    }

    /**
     * The rules of this filter as their policies have it.
     *
     * @param candidates which only look on
     */
    private record Applied(List<RequestRule> rules, List<RequestRule> candidates) {

        static Applied of(RequestRules rules) {
            List<RequestRule> deciding = new ArrayList<>();
            List<RequestRule> candidates = new ArrayList<>();
            for (RequestRule rule : rules.rules()) {
                if (rule.isApplied()) {
                    (rule.onlyLooksOn() ? candidates : deciding).add(rule);
                }
            }
            return new Applied(deciding, candidates);
        }
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        if (request instanceof HttpServletRequest httpRequest
                && response instanceof HttpServletResponse httpResponse
                && !isAnswered(httpRequest)) {
            RequestCharges earlier = RequestCharges.of(httpRequest);
            if (!earlier.areBy(this)) {
                doFilter(httpRequest, httpResponse, chain, earlier);
                return;
            }
        }
        chain.doFilter(request, response);
    }

    /** Whether this is the rendering of an error, and so of the answer to a request, even one that never came this far. */
    private static boolean isAnswered(HttpServletRequest request) {
        return request.getDispatcherType() != DispatcherType.REQUEST
                && request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI) != null;
    }

    private void doFilter(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain, RequestCharges earlier)
            throws ServletException, IOException {
        boolean preflight = CorsUtils.isPreFlightRequest(request);
        Map<String, ConfiguredPolicy> policies =
                earlier.policiesOr(limiter.policies().now());
        Applied now = applied.of(policies);
        List<Charge> looksOn = preflight || now.candidates.isEmpty() ? List.of() : lookOn(now.candidates, request);
        List<Charge> charges = preflight ? List.of() : charges(now.rules, request);
        PolicyReservation reserved = reserve(charges);
        List<PolicyDecision> decisions = reserved == null ? decide(charges) : reserved.decisions();
        if (!PolicyDecision.areAllowed(decisions)) {
            List<PolicyDecision> all = earlier.giveBack();
            all.addAll(decisions);
            answer.decided(request, response, all);
            answer.denied(request, response, PolicyDecision.violationsIn(decisions));
            return;
        }
        List<Charge> all = looksOn.isEmpty() ? charges : joined(charges, looksOn);
        earlier.add(request, response, this, policies, all, reserved);
        answer.decided(request, response, decisions);
        try {
            chain.doFilter(request, response);
        } catch (RuntimeException | ServletException e) {
            RateLimitExceededException exceeded = RateLimitExceededException.causeOf(e);
            if (exceeded == null || response.isCommitted()) {
                throw e;
            }
            answer.denied(request, response, exceeded.violations());
        }
    }

    /** Throws an {@link IllegalArgumentException} if no policy has that name. */
    void requireConfigured(String policy) {
        limiter.requireConfigured(policy);
    }

    /** Has policies decide that only look on, each by itself, and returns what they allowed and charged. */
    private List<Charge> lookOn(List<RequestRule> candidates, HttpServletRequest request) {
        List<Charge> allowed = new ArrayList<>(candidates.size());
        for (Charge charge : charges(candidates, request)) {
            if (charge.lookOn()) {
                allowed.add(charge);
            }
        }
        return allowed;
    }

    private List<Charge> charges(List<RequestRule> rules, HttpServletRequest request) {
        RequestLine line = new RequestLine(request);
        List<Charge> charges = List.of();
        for (int i = 0; i < rules.size(); i++) {
            RequestRule rule = rules.get(i);
            Charge charge = rule.matches(line) ? rule.charge(request, limiter) : null;
            if (charge != null) {
                charges = with(charges, charge);
            }
        }
        return charges;
    }

    private static List<Charge> joined(List<Charge> charges, List<Charge> looksOn) {
        List<Charge> joined = new ArrayList<>(charges);
        joined.addAll(looksOn);
        return joined;
    }

    /** Most requests are charged by one policy, and need no more than the smallest of lists. */
    private static List<Charge> with(List<Charge> charges, Charge charge) {
        if (charges.isEmpty()) {
            return List.of(charge);
        }
        List<Charge> all = charges.size() == 1 ? new ArrayList<>(charges) : charges;
        all.add(charge);
        return all;
    }

    private List<PolicyDecision> decide(List<Charge> charges) {
        if (charges.isEmpty()) {
            return List.of();
        }
        if (charges.size() == 1) { // as most are, and this needs no lists
            return List.of(charges.get(0).decide());
        }
        return limiter.decide(claims(charges));
    }

    /** Decides so that a later filter can undo it, if there may be one. */
    private @Nullable PolicyReservation reserve(List<Charge> charges) {
        return isLast || charges.isEmpty() ? null : limiter.decide(claims(charges), Duration.ZERO);
    }

    private static List<Claim> claims(List<Charge> charges) {
        List<Claim> claims = new ArrayList<>(charges.size());
        for (Charge charge : charges) {
            claims.add(charge.claim());
        }
        return claims;
    }
}
