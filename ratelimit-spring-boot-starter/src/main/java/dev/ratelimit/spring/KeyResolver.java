package dev.ratelimit.spring;

import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;

/**
 * Tells whose bucket a request is charged to.
 *
 * <p>A policy names a bean of this type by {@code ratelimit.policies.<name>.key}. A bean of this type that is the only one
 * also serves the policies that name no key, in place of the client's address. Implementations must be thread-safe, and
 * quick: they run for each request.
 *
 * <pre>{@code
 * @Bean
 * KeyResolver tenant() {
 *     return request -> request.getHeader("X-Tenant");
 * }
 * }</pre>
 */
@FunctionalInterface
public interface KeyResolver {

    /**
     * {@return the key of {@code request}} Where it has none (null, an empty text or an exception) it is known by its
     * principal, or else by its address, never by no key at all.
     *
     * @param request as it is where the policy is charged
     */
    @Nullable
    String resolve(HttpServletRequest request);
}
