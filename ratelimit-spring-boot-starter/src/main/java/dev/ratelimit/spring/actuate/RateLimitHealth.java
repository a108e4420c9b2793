package dev.ratelimit.spring.actuate;

import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.OnFailure;
import dev.ratelimit.spring.redis.RedisRateLimiter;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Tells whether Redis decides on limits, and while it does not what does so in its place. Immutable.
 *
 * <p>The application is UP all the same, whatever its policies say under {@code on-failure}. All instances share that Redis,
 * and all would be taken out of service at once, which is worse than limits that are less exact, or requests of one policy
 * that are refused. What an operator is to be woken for are the meters and the {@code BackendDegradedEvent}.
 *
 * @hidden
 */
public final class RateLimitHealth implements HealthIndicator {
    private final ConfiguredPolicies policies;
    private final RedisRateLimiter limiter;

    /** Creates the indicator of that limiter. */
    public RateLimitHealth(ConfiguredPolicies policies, RedisRateLimiter limiter) {
        this.policies = policies;
        this.limiter = limiter;
    }

    @Override
    public Health health() {
        boolean failing = limiter.stats().isFailing();
        Health.Builder health = Health.up().withDetail("redis", failing ? "degraded" : "available");
        return failing ? health.withDetail("onFailure", inPlace()).build() : health.build();
    }

    private Map<String, String> inPlace() {
        Map<String, String> inPlace = new TreeMap<>();
        for (ConfiguredPolicy each : policies.all()) {
            String name = each.policy().name();
            OnFailure onFailure = limiter.onFailure(name);
            if (onFailure != null) {
                inPlace.put(name, onFailure.name().toLowerCase(Locale.ROOT));
            }
        }
        return inPlace;
    }
}
