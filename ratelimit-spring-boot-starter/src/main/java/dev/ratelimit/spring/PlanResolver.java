package dev.ratelimit.spring;

import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;

/**
 * Tells which plan a request's client has, for the policies that have {@code ratelimit.policies.<name>.plans}.
 *
 * <p>There must be one bean of this type where a policy has plans. Such a policy is decided behind Spring Security, so that
 * the user is known. A call of a {@link RateLimited} method that is not part of a request has no plan, and so the strictest
 * limits. Implementations must be thread-safe, and quick: they run
 * for each request.
 *
 * <pre>{@code
 * @Bean
 * PlanResolver plans() {
 *     return request -> request.isUserInRole("PRO") ? "pro" : "free";
 * }
 * }</pre>
 */
@FunctionalInterface
public interface PlanResolver {

    /**
     * {@return the name of the plan} Where there is none (null, a name that the policy does not have, or an exception) the
     * client is held to the strictest limits, and counted as {@link Outcome#UNKNOWN_PLAN}.
     *
     * @param request as it is behind Spring Security
     */
    @Nullable
    String plan(HttpServletRequest request);
}
