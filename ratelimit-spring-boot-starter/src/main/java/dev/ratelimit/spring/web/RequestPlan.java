package dev.ratelimit.spring.web;

import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicy;
import jakarta.servlet.http.HttpServletRequest;

/**
 * Tells under which limits of a policy a request is, and always does; the limits may change, how they are told does not.
 *
 * @hidden
 */
@FunctionalInterface
public interface RequestPlan {

    /** Returns {@code policy} with the limits of the client's plan, if it has plans and that is one of them. */
    Policy of(ConfiguredPolicy policy, HttpServletRequest request);
}
