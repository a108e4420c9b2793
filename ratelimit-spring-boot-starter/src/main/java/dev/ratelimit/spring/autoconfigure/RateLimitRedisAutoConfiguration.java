package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.NanoClock;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.redis.RedisRateLimiter;
import io.lettuce.core.RedisClient;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.core.type.AnnotatedTypeMetadata;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * Sets up the limiter that keeps its buckets in Redis, if ratelimit.backend or a policy says so.
 *
 * <pre>{@code
 * @SpringBootTest
 * @ImportAutoConfiguration(exclude = RateLimitRedisAutoConfiguration.class)
 * class WithoutRedisTest {}
 * }</pre>
 */
@AutoConfiguration(
        before = RateLimitAutoConfiguration.class,
        afterName = "org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration")
@ConditionalOnClass({RedisClient.class, LettuceConnectionFactory.class})
@Conditional(RateLimitRedisAutoConfiguration.OnRedis.class)
public final class RateLimitRedisAutoConfiguration {

    RateLimitRedisAutoConfiguration() {}

    private static final Log LOG = LogFactory.getLog(RateLimitRedisAutoConfiguration.class);

    @Bean
    @ConditionalOnMissingBean(RateLimiter.class)
    RedisRateLimiter rateLimiter(
            RateLimitProperties properties,
            ConfiguredPolicies policies,
            RateLimitCounts counts,
            NanoClock clock,
            ObjectProvider<RedisConnectionFactory> connections,
            ObjectProvider<LettuceConnectionFactory> lettuce,
            @Value("${spring.application.name:}") String application) {
        LettuceConnectionFactory connection = lettuce.getIfUnique();
        if (connection == null) {
            throw noConnection(properties, connections);
        }
        check(properties, connection);
        RedisPolicies inRedis = new RedisPolicies(properties);
        inRedis.check(policies);
        RedisProperties redis = properties.redis();
        String prefix = redis.prefix(application);
        log(redis, RedisRateLimiter.place(connection), prefix, inRedis);
        return RedisRateLimiter.builder(connection)
                .maximumKeys(properties.local().maximumKeys())
                .synchronization(properties.local().synchronization())
                .clock(clock)
                .timeout(redis.timeout())
                .instances(redis.instances())
                .prefix(prefix)
                .keySecret(properties.keySecret())
                .shared(inRedis::areInRedis)
                .onFailure(inRedis::onFailure)
                .degraded(policy -> counts.add(policy, Outcome.DEGRADED))
                .build();
    }

    private static void check(RateLimitProperties properties, LettuceConnectionFactory connection) {
        try {
            RedisRateLimiter.requireKnown(connection);
        } catch (IllegalArgumentException e) {
            throw new InvalidRateLimitException(
                    Objects.requireNonNull(properties.redisProperty()), "is redis, but " + e.getMessage());
        }
    }

    private static InvalidRateLimitException noConnection(
            RateLimitProperties properties, ObjectProvider<RedisConnectionFactory> connections) {
        List<String> found = connections.stream()
                .map(each -> each.getClass().getSimpleName())
                .toList();
        return new InvalidRateLimitException(
                Objects.requireNonNull(properties.redisProperty()),
                "is redis, which takes one LettuceConnectionFactory, or a primary one; there are: "
                        + (found.isEmpty() ? "none" : String.join(", ", found)),
                "Add org.springframework.boot:spring-boot-starter-data-redis, without spring.data.redis.client-type or"
                        + " with lettuce there, and do not exclude DataRedisAutoConfiguration; of several connections, make one"
                        + " primary.");
    }

    private static void log(RedisProperties redis, String place, String prefix, RedisPolicies inRedis) {
        LOG.info("Rate limits are in Redis, at " + place + ", by the prefix \"" + prefix + "\"; a decision takes "
                + redis.timeout().toMillis() + " ms at most; instances: " + redis.instances());
        if (redis.instances() == 1 && inRedis.fallBackToInstances()) {
            LOG.info(
                    "ratelimit.redis.instances is 1: while Redis cannot be asked, each instance allows all that a limit does;"
                            + " set it to how many instances there are");
        }
    }

    /** Whether the backend is redis, for all or for a policy. What cannot be read is refused later, with a sentence. */
    static final class OnRedis extends SpringBootCondition {
        private static final Bindable<Map<String, Policy>> POLICIES = Bindable.mapOf(String.class, Policy.class);

        record Policy(@Nullable String backend) {}

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            return new ConditionOutcome(
                    isRedis(Binder.get(context.getEnvironment())),
                    ConditionMessage.forCondition("ratelimit.backend")
                            .because("it says whether there are buckets in Redis"));
        }

        private static boolean isRedis(Binder properties) {
            try {
                if (isRedis(properties.bind("ratelimit.backend", String.class).orElse(null))) {
                    return true;
                }
                for (Policy policy : properties
                        .bind("ratelimit.policies", POLICIES)
                        .orElse(Map.of())
                        .values()) {
                    if (isRedis(policy.backend)) {
                        return true;
                    }
                }
                return false;
            } catch (BindException e) {
                return false;
            }
        }

        private static boolean isRedis(@Nullable String backend) {
            return "redis".equalsIgnoreCase(backend);
        }
    }
}
