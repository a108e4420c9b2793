package dev.ratelimit.spring.web;

import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/**
 * The one answer that every door gives: the header fields on each response, and the denial, of which everything but status and
 * body is the same whoever writes it. Thread-safe.
 *
 * <p>A request may be decided upon more than once, by the filter and by annotated methods on its way. The fields list all
 * policies that had a say, the latest decision of each, in the order of application.yml; what is not from there comes last.
 *
 * @hidden
 */
public final class RateLimitAnswer {
    private static final String DECISIONS = RateLimitAnswer.class.getName() + ".decisions";

    private final Map<String, Integer> places = new HashMap<>();
    private final RateLimitFields fields;
    private final RateLimitResponseWriter writer;

    /** Creates the answer; {@code fields} tells of every decision, and {@code writer} writes the denial. */
    public RateLimitAnswer(RequestRules rules, RateLimitFields fields, RateLimitResponseWriter writer) {
        for (RequestRule rule : rules.rules()) {
            places.put(rule.name(), places.size());
        }
        this.fields = fields;
        this.writer = writer;
    }

    /** Tells the client what was decided; does nothing once the response is on its way. */
    public void decided(HttpServletRequest request, HttpServletResponse response, List<PolicyDecision> decisions) {
        if (decisions.isEmpty() || response.isCommitted()) {
            return;
        }
        List<PolicyDecision> earlier = decisionsOf(request);
        if (earlier.isEmpty()) {
            expose(request, response, fields.names());
        }
        List<PolicyDecision> all = earlier.isEmpty() && isInOrder(decisions) ? decisions : merged(earlier, decisions);
        request.setAttribute(DECISIONS, all);
        fields.write(response, all);
    }

    /** Writes the denial; does nothing once the response is on its way. */
    void denied(HttpServletRequest request, HttpServletResponse response, List<PolicyDecision> violations)
            throws IOException {
        if (response.isCommitted()) {
            return;
        }
        decided(request, response, violations); // code may have denied on its own account
        response.resetBuffer();
        response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
        if (neverIn(violations) == null) {
            response.setHeader(HttpHeaders.RETRY_AFTER, Long.toString(Seconds.retryAfter(violations)));
            expose(request, response, HttpHeaders.RETRY_AFTER);
        }
        writer.write(request, response, violations);
    }

    /** Returns the one that no waiting helps against, or null if there is none. */
    static @Nullable PolicyDecision neverIn(List<PolicyDecision> violations) {
        for (PolicyDecision violation : violations) {
            if (violation.decision().never()) {
                return violation;
            }
        }
        return null;
    }

    /** Lets a script of another origin read {@code names}. What the application lets it read stays as it is. */
    private static void expose(HttpServletRequest request, HttpServletResponse response, String names) {
        if (!names.isEmpty() && request.getHeader(HttpHeaders.ORIGIN) != null) {
            response.addHeader(HttpHeaders.ACCESS_CONTROL_EXPOSE_HEADERS, names);
        }
    }

    /** As those of the filter are, which need no merging then; two of one policy are not. */
    private boolean isInOrder(List<PolicyDecision> decisions) {
        int last = placeOf(decisions.get(0).policy().name());
        for (int i = 1; i < decisions.size(); i++) {
            int place = placeOf(decisions.get(i).policy().name());
            if (place <= last) {
                return false;
            }
            last = place;
        }
        return true;
    }

    private List<PolicyDecision> merged(List<PolicyDecision> earlier, List<PolicyDecision> decisions) {
        List<PolicyDecision> all = new ArrayList<>(earlier.size() + decisions.size());
        all.addAll(earlier);
        for (PolicyDecision each : decisions) {
            merge(each, all);
        }
        return all;
    }

    private void merge(PolicyDecision latest, List<PolicyDecision> all) {
        String name = latest.policy().name();
        int place = placeOf(name);
        for (int i = 0; i < all.size(); i++) {
            String other = all.get(i).policy().name();
            if (other.equals(name)) {
                all.set(i, latest);
                return;
            }
            if (placeOf(other) > place) {
                all.add(i, latest);
                return;
            }
        }
        all.add(latest);
    }

    private int placeOf(String policy) {
        Integer place = places.get(policy);
        return place == null ? Integer.MAX_VALUE : place;
    }

    /** Returns what the client of {@code request} was told of, the latest decision of each policy. */
    @SuppressWarnings("unchecked")
    public static List<PolicyDecision> decisionsOf(HttpServletRequest request) {
        List<PolicyDecision> all = (List<PolicyDecision>) request.getAttribute(DECISIONS);
        return all == null ? List.of() : all;
    }
}
