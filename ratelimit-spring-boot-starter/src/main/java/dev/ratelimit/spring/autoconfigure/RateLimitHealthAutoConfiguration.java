package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.actuate.RateLimitHealth;
import dev.ratelimit.spring.redis.RedisRateLimiter;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/**
 * Sets up the health of the limits, where they are in Redis.
 *
 * <pre>{@code
 * @SpringBootApplication(exclude = RateLimitHealthAutoConfiguration.class)
 * class WithoutHealth {}
 * }</pre>
 */
@AutoConfiguration(after = RateLimitRedisAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean(RedisRateLimiter.class)
@ConditionalOnEnabledHealthIndicator("ratelimit")
public final class RateLimitHealthAutoConfiguration {

    RateLimitHealthAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean(name = "ratelimitHealthIndicator")
    RateLimitHealth ratelimitHealthIndicator(ConfiguredPolicies policies, RedisRateLimiter limiter) {
        return new RateLimitHealth(policies, limiter);
    }
}
