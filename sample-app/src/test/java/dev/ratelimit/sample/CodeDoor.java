package dev.ratelimit.sample;

import dev.ratelimit.Decision;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import java.time.Duration;

/** The README's lines for code that asks the limiter itself. */
class CodeDoor {
    private final RateLimiter limiter;
    private final ConfiguredPolicies policies;

    CodeDoor(RateLimiter limiter, ConfiguredPolicies policies) {
        this.limiter = limiter;
        this.policies = policies;
    }

    String ask(String key) {
        Decision decision = limiter.tryConsume(policies.get("export"), key, 1);
        if (!decision.allowed()) {
            return "come back in " + Duration.ofNanos(decision.retryAfterNanos());
        }
        return "welcome";
    }
}
