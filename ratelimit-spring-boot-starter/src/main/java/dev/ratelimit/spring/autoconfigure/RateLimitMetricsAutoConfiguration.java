package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.actuate.RateLimitMeters;
import dev.ratelimit.spring.actuate.RateLimitObservationFilter;
import dev.ratelimit.spring.redis.RedisRateLimiter;
import dev.ratelimit.spring.web.RateLimitAnswer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.observation.ObservationFilter;
import io.micrometer.observation.ObservationRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * Sets up the meters, and what observations say of the limits.
 *
 * <pre>{@code
 * @SpringBootApplication(exclude = RateLimitMetricsAutoConfiguration.class)
 * class WithoutMeters {}
 * }</pre>
 */
@AutoConfiguration(
        after = RateLimitWebAutoConfiguration.class,
        afterName = {
            "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
            "org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration"
        })
public final class RateLimitMetricsAutoConfiguration {

    RateLimitMetricsAutoConfiguration() {}

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterBinder.class)
    @ConditionalOnBean(MeterRegistry.class)
    static final class Meters {
        @Bean
        @ConditionalOnMissingBean
        RateLimitMeters rateLimitMeters(
                ConfiguredPolicies policies,
                RateLimitCounts counts,
                ObjectProvider<LocalRateLimiter> local,
                ObjectProvider<RedisRateLimiter> limiter) {
            RedisRateLimiter redis = limiter.getIfUnique();
            return redis == null
                    ? new RateLimitMeters(policies, counts, local.getIfUnique(), null)
                    : new RateLimitMeters(policies, counts, redis.local(), redis.stats());
        }
    }

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ObservationFilter.class)
    @ConditionalOnBean({ObservationRegistry.class, RateLimitAnswer.class})
    static final class Observations {
        @Bean
        @ConditionalOnMissingBean
        RateLimitObservationFilter rateLimitObservationFilter(ConfiguredPolicies policies) {
            return new RateLimitObservationFilter(policies);
        }
    }
}
