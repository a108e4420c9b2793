package dev.ratelimit.spring;

import jakarta.servlet.http.HttpServletRequest;

/**
 * Tells how many tokens a request costs.
 *
 * <p>A policy names a bean of this type by {@code ratelimit.policies.<name>.tokens}. It is asked where the policy is
 * charged, which is in front of Spring Security unless the policy's key needs the user. Implementations must be thread-safe,
 * and quick: they run for each request. What a client says of its own request is no good measure of what that costs.
 *
 * <pre>{@code
 * @Bean
 * TokenCost reportPages() {
 *     return request -> request.getRequestURI().endsWith("/full") ? 10 : 1;
 * }
 * }</pre>
 */
@FunctionalInterface
public interface TokenCost {

    /**
     * {@return the cost of {@code request}: 0 if it is free, and then the policy does not apply to it} Where there is no
     * telling (less than 0, or an exception) it costs 1.
     *
     * @param request as it is where the policy is charged
     */
    long tokens(HttpServletRequest request);
}
