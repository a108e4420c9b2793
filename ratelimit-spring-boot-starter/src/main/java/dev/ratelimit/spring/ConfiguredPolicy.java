package dev.ratelimit.spring;

import dev.ratelimit.Policy;

/**
 * A policy as {@code ratelimit.policies} describes it. Immutable.
 *
 * @param tokens what a request or a call costs unless it says otherwise; at least 1
 */
public record ConfiguredPolicy(Policy policy, long tokens) {}
