package dev.ratelimit.spring;

import dev.ratelimit.Decision;
import dev.ratelimit.Policy;

/** What the limiter decided under one policy. Immutable. */
public record PolicyDecision(Policy policy, Decision decision) {}
