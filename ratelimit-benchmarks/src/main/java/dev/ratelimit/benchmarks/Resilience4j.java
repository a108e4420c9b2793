package dev.ratelimit.benchmarks;

import dev.ratelimit.Limit;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import java.time.Duration;

/** Makes resilience4j's limiters from our limits. */
final class Resilience4j {

    private Resilience4j() {}

    static RateLimiterRegistry registry(Limit limit) {
        return RateLimiterRegistry.of(RateLimiterConfig.custom()
                .limitForPeriod(Math.toIntExact(limit.refillTokens()))
                .limitRefreshPeriod(limit.refillPeriod())
                .timeoutDuration(Duration.ZERO)
                .build());
    }
}
