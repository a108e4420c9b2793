package dev.ratelimit.spring.web;

import dev.ratelimit.Policy;
import jakarta.servlet.http.HttpServletRequest;

/** Tells under which limits of its policy a request is, and always does. */
@FunctionalInterface
public interface RequestPlan {

    /** Returns the policy, with the limits of the client's plan if it has plans. */
    Policy of(HttpServletRequest request);
}
