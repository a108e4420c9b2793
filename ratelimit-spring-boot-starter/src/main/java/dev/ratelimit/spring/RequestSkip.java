package dev.ratelimit.spring;

import jakarta.servlet.http.HttpServletRequest;

/**
 * Tells which requests a policy leaves alone. A policy names beans of this type by {@code ratelimit.policies.<name>.skip}.
 * Implementations must be thread-safe, and quick: they run for each request.
 *
 * <p>What it goes by must not be for a client to choose: a header that anybody can send is none. The user is known to it
 * only under policies whose key or plan needs the user, as others are decided in front of Spring Security.
 *
 * <pre>{@code
 * @Bean
 * RequestSkip batchJobs() {
 *     return request -> request.isUserInRole("BATCH");
 * }
 * }</pre>
 */
@FunctionalInterface
public interface RequestSkip {

    /**
     * {@return whether {@code request} is neither charged nor denied} Where it throws, the request is like any other.
     *
     * @param request as it is where the policy is charged
     */
    boolean skips(HttpServletRequest request);
}
