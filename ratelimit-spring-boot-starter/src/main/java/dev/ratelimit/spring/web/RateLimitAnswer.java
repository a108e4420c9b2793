package dev.ratelimit.spring.web;

import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The one answer that every door gives: the header fields on each response, and the 429. Thread-safe.
 *
 * <p>A request may be decided upon more than once, by the filter and by annotated methods on its way. The fields list all
 * policies that had a say, the latest decision of each.
 */
public final class RateLimitAnswer {
    private static final String DECISIONS = RateLimitAnswer.class.getName() + ".decisions";

    private final RateLimitFields fields = new RateLimitFields();
    private final RateLimitResponseWriter writer;

    /** Creates the answer; {@code writer} writes the 429. */
    public RateLimitAnswer(RateLimitResponseWriter writer) {
        this.writer = writer;
    }

    /** Tells the client what was decided; does nothing once the response is on its way. */
    public void decided(HttpServletRequest request, HttpServletResponse response, List<PolicyDecision> decisions) {
        if (decisions.isEmpty() || response.isCommitted()) {
            return;
        }
        Map<String, PolicyDecision> all = decisionsOf(request);
        if (all.isEmpty()) {
            fields.expose(request, response);
        }
        decisions.forEach(each -> all.put(each.policy().name(), each));
        fields.write(response, all.values());
    }

    /** Writes the 429, to a response that is not on its way yet. */
    void denied(HttpServletRequest request, HttpServletResponse response, List<PolicyDecision> violations)
            throws IOException {
        decided(request, response, violations); // code may have denied on its own account
        response.resetBuffer();
        writer.write(request, response, violations);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, PolicyDecision> decisionsOf(HttpServletRequest request) {
        Map<String, PolicyDecision> all = (Map<String, PolicyDecision>) request.getAttribute(DECISIONS);
        if (all == null) {
            all = new LinkedHashMap<>();
            request.setAttribute(DECISIONS, all);
        }
        return all;
    }
}
