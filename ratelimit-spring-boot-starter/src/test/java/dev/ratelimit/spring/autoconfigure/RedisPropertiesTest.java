package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.OnFailure;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.Backend;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.PolicyProperties;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;

/** Reads what is said of Redis; there need not be one. */
class RedisPropertiesTest {

    @EnableConfigurationProperties(RateLimitProperties.class)
    @Import(LimitProperties.TextConverter.class)
    static class Reader {
        @Bean
        ConfiguredPolicies policies(RateLimitProperties properties) {
            return new PolicyReader(properties).read();
        }
    }

    private static ApplicationContextRunner reading(String yaml) throws Exception {
        List<PropertySource<?>> sources = new YamlPropertySourceLoader()
                .load("test", new ByteArrayResource(yaml.getBytes(StandardCharsets.UTF_8)));
        return new ApplicationContextRunner()
                .withUserConfiguration(Reader.class)
                .withInitializer(
                        context -> sources.forEach(context.getEnvironment().getPropertySources()::addFirst));
    }

    private static String sentenceOf(@Nullable Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof InvalidRateLimitException) {
                return Objects.requireNonNull(cause.getMessage());
            }
        }
        return String.valueOf(failure);
    }

    @Test
    void keepsAllBucketsHereUnlessTold() throws Exception {
        reading("ratelimit: {policies: {api: {limits: 5/1m}}}").run(context -> {
            RateLimitProperties read = context.getBean(RateLimitProperties.class);
            assertThat(read.backend()).isEqualTo(Backend.LOCAL);
            assertThat(read.redis()).isEqualTo(new RedisProperties(Duration.ofMillis(100), 1, null));
            assertThat(read.redisProperty()).isNull();
        });
    }

    @Test
    void readsWhereBucketsAreAndWhatDecidesWithoutThem() throws Exception {
        reading("""
                ratelimit:
                  backend: redis
                  redis: {timeout: 50ms, instances: 3, prefix: shop}
                  policies:
                    api: {limits: 5/1m, on-failure: deny}
                    web: {limits: 5/1m, on-failure: Allow}
                    job: {limits: 5/1m, on-failure: local}
                    own: {limits: 5/1m, backend: local}
                """).run(context -> {
            RateLimitProperties read = context.getBean(RateLimitProperties.class);
            assertThat(read.backend()).isEqualTo(Backend.REDIS);
            assertThat(read.redis()).isEqualTo(new RedisProperties(Duration.ofMillis(50), 3, "shop"));
            assertThat(read.redisProperty()).isEqualTo("ratelimit.backend");
            Map<String, PolicyProperties> policies = read.policies();
            assertThat(Objects.requireNonNull(policies.get("api")).onFailure()).isEqualTo(OnFailure.DENY);
            assertThat(Objects.requireNonNull(policies.get("web")).onFailure()).isEqualTo(OnFailure.ALLOW);
            assertThat(Objects.requireNonNull(policies.get("job")).onFailure()).isEqualTo(OnFailure.LOCAL);
            assertThat(Objects.requireNonNull(policies.get("own")).backend()).isEqualTo(Backend.LOCAL);
        });
    }

    @Test
    void takesOnePolicyToRedis() throws Exception {
        reading("ratelimit: {policies: {own: {limits: 5/1m, on-failure: deny}, api: {limits: 5/1m, backend: redis}}}")
                .run(context -> assertThat(
                                context.getBean(RateLimitProperties.class).redisProperty())
                        .isEqualTo("ratelimit.policies.api.backend"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "redis: {timeout: 0ms} | ratelimit.redis.timeout is PT0S, but must be from 1ms to 10s",
                "redis: {timeout: -1s} | ratelimit.redis.timeout is PT-1S, but must be from 1ms to 10s",
                "redis: {timeout: 10001ms} | ratelimit.redis.timeout is PT10.001S, but must be from 1ms to 10s",
                "redis: {instances: 0} | ratelimit.redis.instances is 0, but must be from 1 to 10000",
                "redis: {prefix: '{shop}'} | ratelimit.redis.prefix is \"{shop}\", but must be printable ASCII without braces",
                "redis: {prefix: ' '} | ratelimit.redis.prefix is \" \", but must be printable ASCII without braces",
                "policies: {api: {limits: 5/1m, backend: local, on-failure: deny}} | ratelimit.policies.api.on-failure means"
                        + " nothing beside ratelimit.policies.api.backend: local",
                "policies: {api: {limits: 5/1m, backend: redis, key: [ip, 'header:X-Key']}} | ratelimit.key-secret is missing,"
                        + " but ratelimit.policies.api.key is [ip, header:X-Key] and its buckets are in Redis, where instances"
                        + " agree on them only if they hash under the same secret"
            })
    void stopsTheStartWithASentence(String yaml, String sentence) throws Exception {
        reading("ratelimit: {" + yaml + "}")
                .run(context ->
                        assertThat(sentenceOf(context.getStartupFailure())).isEqualTo(sentence));
    }

    @ParameterizedTest
    @ValueSource(strings = {"on", "off", "no", "none", "reids"})
    void stopsTheStartForABackendThatThereIsNot(String word) throws Exception {
        reading("ratelimit: {backend: " + word + "}")
                .run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining("ratelimit.backend"));
        reading("ratelimit: {policies: {api: {limits: 5/1m, backend: " + word + "}}}")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("ratelimit.policies.api.backend"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"on", "off", "yes", "open", "closed"})
    void stopsTheStartForAnOnFailureThatThereIsNot(String word) throws Exception {
        reading("ratelimit: {backend: redis, policies: {api: {limits: 5/1m, on-failure: " + word + "}}}")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("ratelimit.policies.api.on-failure"));
    }

    @Test
    void letsAKeyOfASecretBeInRedisWhereInstancesHashItAlike() throws Exception {
        reading(
                        "ratelimit: {backend: redis, key-secret: sixteen letters!, policies: {api: {limits: 5/1m, key: 'cookie:a'}}}")
                .run(context -> assertThat(context).hasNotFailed());
        reading("ratelimit: {backend: redis, policies: {api: {limits: 5/1m, backend: local, key: 'cookie:a'}}}")
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void namesKeysAfterTheApplicationUnlessTold() {
        RedisProperties unset = new RedisProperties(Duration.ofMillis(100), 1, null);
        assertThat(unset.prefix("")).isEqualTo("ratelimit");
        assertThat(unset.prefix("My Shop")).isEqualTo("My Shop");
        assertThat(new RedisProperties(Duration.ofMillis(100), 1, "shop").prefix("My Shop"))
                .isEqualTo("shop");
    }

    @Test
    void saysWhereAPrefixThatWillNotDoComesFrom() {
        RedisProperties unset = new RedisProperties(Duration.ofMillis(100), 1, null);

        assertThat(catchThrowable(() -> unset.prefix("Caf\u00e9")))
                .hasMessage(
                        "ratelimit.redis.prefix is, by spring.application.name, \"Caf\u00e9\", but must be printable ASCII"
                                + " without braces");
    }
}
