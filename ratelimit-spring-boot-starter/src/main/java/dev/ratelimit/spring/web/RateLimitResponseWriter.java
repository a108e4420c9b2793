package dev.ratelimit.spring.web;

import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;

/**
 * Writes the response to a request that was denied, by whichever door. A bean of this type replaces the
 * {@link ProblemResponseWriter}. Implementations must be thread-safe.
 */
@FunctionalInterface
public interface RateLimitResponseWriter {

    /**
     * Writes status, headers and body. The {@code RateLimit} fields are set already, and nothing is committed.
     *
     * @param violations the policies that denied, at least one; where all of them are unavailable, the client is not to blame
     */
    void write(HttpServletRequest request, HttpServletResponse response, List<PolicyDecision> violations)
            throws IOException;
}
