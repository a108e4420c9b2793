package dev.ratelimit.spring.web;

import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;

/**
 * Writes the response to a request that was denied, by whichever door. A bean of this type replaces the
 * {@link ProblemResponseWriter}. Implementations must be thread-safe.
 *
 * <pre>{@code
 * @Bean
 * RateLimitResponseWriter busyPage() {
 *     return (request, response, violations) -> {
 *         response.setStatus(PolicyDecision.areUnavailable(violations) ? 503 : 429);
 *         response.setContentType("text/plain");
 *         response.getWriter().write("too many requests");
 *     };
 * }
 * }</pre>
 */
@FunctionalInterface
public interface RateLimitResponseWriter {

    /**
     * Writes status and body. The {@code RateLimit} fields, {@code Retry-After} and {@code Cache-Control: no-store} are set
     * already, and nothing is committed.
     *
     * @param request which was denied
     * @param response to be written, but not committed
     * @param violations the policies that denied, at least one; where all of them are unavailable, the client is not to blame
     * @throws IOException if the client cannot be written to
     */
    void write(HttpServletRequest request, HttpServletResponse response, List<PolicyDecision> violations)
            throws IOException;
}
