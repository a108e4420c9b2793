package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.OnFailure;
import dev.ratelimit.spring.RateLimited;
import dev.ratelimit.spring.redis.RedisRateLimiter;
import io.lettuce.core.RedisClient;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.Mockito;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** Which limiter an application gets. Nothing here is at the port that Redis is looked for, and nobody minds. */
@ExtendWith(OutputCaptureExtension.class)
class RedisConfigurationTest {
    private final ApplicationContextRunner withoutConnection = new ApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(RateLimitRedisAutoConfiguration.class, RateLimitAutoConfiguration.class))
            .withPropertyValues("spring.data.redis.port=1", "ratelimit.policies.api.limits=5/1m");
    private final ApplicationContextRunner app =
            withoutConnection.withConfiguration(AutoConfigurations.of(DataRedisAutoConfiguration.class));

    private static String sentenceOf(@Nullable Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof InvalidRateLimitException) {
                return Objects.requireNonNull(cause.getMessage());
            }
        }
        return String.valueOf(failure);
    }

    private static String actionOf(@Nullable Throwable failure) {
        FailureAnalysis analysis = new InvalidRateLimitFailureAnalyzer().analyze(Objects.requireNonNull(failure));
        return Objects.requireNonNull(Objects.requireNonNull(analysis).getAction());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ratelimit.backend=redis", "ratelimit.backend=REDIS", "ratelimit.policies.api.backend=redis"})
    void keepsBucketsInRedisIfToldAndStartsWithoutIt(String property) {
        app.withPropertyValues(property)
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(RateLimiter.class)
                        .hasSingleBean(RedisRateLimiter.class));
    }

    @Test
    void hasNothingToDoWithRedisUnlessTold() {
        app.run(context -> assertThat(context)
                .hasSingleBean(LocalRateLimiter.class)
                .doesNotHaveBean(RateLimitRedisAutoConfiguration.class));
        app.withPropertyValues("ratelimit.policies.api.backend=local", "ratelimit.redis.instances=3")
                .run(context -> assertThat(context).hasSingleBean(LocalRateLimiter.class));
    }

    @Test
    void leavesALimiterOfTheApplicationAlone() {
        LocalRateLimiter own = LocalRateLimiter.builder().build();
        app.withPropertyValues("ratelimit.backend=redis")
                .withBean(RateLimiter.class, () -> own)
                .run(context -> assertThat(context.getBean(RateLimiter.class)).isSameAs(own));
    }

    @ParameterizedTest
    @ValueSource(classes = {RedisClient.class, LettuceConnectionFactory.class})
    void saysWhatToAddWhereThereIsNoLettuce(Class<?> missing) {
        withoutConnection
                .withClassLoader(new FilteredClassLoader(missing))
                .run(context -> assertThat(context).hasSingleBean(LocalRateLimiter.class));
        withoutConnection
                .withClassLoader(new FilteredClassLoader(missing))
                .withPropertyValues("ratelimit.policies.api.backend=redis")
                .run(context -> {
                    assertThat(sentenceOf(context.getStartupFailure()))
                            .isEqualTo("ratelimit.policies.api.backend is redis, but there is nothing to ask it by");
                    assertThat(actionOf(context.getStartupFailure()))
                            .isEqualTo(
                                    "Add org.springframework.boot:spring-boot-starter-data-redis, with Lettuce, and do not exclude"
                                            + " RateLimitRedisAutoConfiguration.");
                });
    }

    @Test
    void saysWhatItTakesWhereThereIsNoConnection() {
        withoutConnection.withPropertyValues("ratelimit.backend=redis").run(context -> {
            assertThat(sentenceOf(context.getStartupFailure()))
                    .isEqualTo("ratelimit.backend is redis, which takes one LettuceConnectionFactory, or a primary"
                            + " one; there are: none");
            assertThat(actionOf(context.getStartupFailure()))
                    .startsWith("Add org.springframework.boot:spring-boot-starter-data-redis, ");
        });
    }

    @Test
    void saysWhichConnectionsItCannotUse() {
        RedisConnectionFactory other = Mockito.mock(RedisConnectionFactory.class);
        withoutConnection
                .withPropertyValues("ratelimit.backend=redis")
                .withBean(RedisConnectionFactory.class, () -> other)
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .endsWith("there are: " + other.getClass().getSimpleName()));
        app.withPropertyValues("ratelimit.backend=redis")
                .withBean("one", LettuceConnectionFactory.class, () -> new LettuceConnectionFactory())
                .withBean("other", LettuceConnectionFactory.class, () -> new LettuceConnectionFactory())
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .endsWith("there are: LettuceConnectionFactory, LettuceConnectionFactory"));
    }

    @Test
    void refusesAStaticMasterAndReplicas() {
        app.withPropertyValues("ratelimit.backend=redis", "spring.data.redis.masterreplica.nodes=127.0.0.1:1")
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .isEqualTo(
                                "ratelimit.backend is redis, but the connection is to a static master and replicas, and"
                                        + " not to a standalone Redis, Sentinel or Cluster"));
    }

    @Test
    void refusesALimitWhoseShareIsOutOfRange() {
        app.withPropertyValues("ratelimit.policies.slow.limits=5/365d", "ratelimit.policies.slow.backend=redis")
                .run(context -> assertThat(context).hasNotFailed());
        app.withPropertyValues(
                        "ratelimit.policies.slow.limits=5/365d",
                        "ratelimit.policies.slow.backend=redis",
                        "ratelimit.redis.instances=10000")
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .startsWith("ratelimit.policies.slow cannot be in Redis: the share of one of 10000 instances in"
                                + " 5/365d is out of range: "));
    }

    static class Slow {
        @RateLimited(limit = "5/365d")
        public void call() {}
    }

    @Test
    void refusesALimitInPlaceWhoseShareIsOutOfRange() {
        ApplicationContextRunner many = app.withBean(Slow.class).withPropertyValues("ratelimit.redis.instances=10000");
        many.withPropertyValues("ratelimit.policies.api.backend=redis")
                .run(context -> assertThat(context).hasNotFailed());
        many.withPropertyValues("ratelimit.backend=redis")
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .startsWith(
                                "@RateLimited on " + Slow.class.getName() + ".call has the limit \"5/365d\": the share"
                                        + " of one of 10000 instances in 5/365d is out of range: "));
    }

    @Test
    void saysAtTheStartWhereLimitsAre(CapturedOutput output) {
        app.withPropertyValues(
                        "ratelimit.backend=redis",
                        "ratelimit.redis.timeout=50ms",
                        "ratelimit.redis.instances=3",
                        "spring.application.name=shop")
                .run(context -> assertThat(output)
                        .contains(
                                "Rate limits are in Redis, at localhost:1, by the prefix \"shop\"; a decision takes 50 ms at most;"
                                        + " instances: 3")
                        .doesNotContain("ratelimit.redis.instances is 1"));
    }

    @Test
    void saysAtTheStartThatEachInstanceMayAllowAllOfALimit(CapturedOutput output) {
        app.withPropertyValues("ratelimit.policies.api.backend=redis", "ratelimit.policies.api.on-failure=deny")
                .run(context -> assertThat(output).contains("Redis").doesNotContain("ratelimit.redis.instances is 1"));
        app.withPropertyValues("ratelimit.policies.api.backend=redis")
                .run(
                        context -> assertThat(output)
                                .contains("Rate limits are in Redis, at localhost:1, by the prefix \"ratelimit\"")
                                .contains(
                                        "ratelimit.redis.instances is 1: while Redis cannot be asked, each instance allows all"));
    }

    @ParameterizedTest
    @CsvSource({
        "spring.data.redis.url=redis://ann:canary@127.0.0.1:1, 127.0.0.1:1",
        "'spring.data.redis.cluster.nodes=127.0.0.1:1,127.0.0.1:2', 'the cluster of 127.0.0.1:1, 127.0.0.1:2'",
    })
    void saysAtTheStartWhereItLooksAndThatNothingIsThere(String connection, String place, CapturedOutput output) {
        app.withPropertyValues("ratelimit.backend=redis", "spring.data.redis.password=canary", connection)
                .run(context -> assertThat(output)
                        .contains("Rate limits are in Redis, at " + place + ", by the prefix")
                        .containsOnlyOnce("Redis is not there yet, at " + place)
                        .doesNotContain("canary"));
    }

    @Test
    void saysWhichMasterOfWhichSentinels() {
        RedisSentinelConfiguration sentinels = new RedisSentinelConfiguration("mymaster", Set.of("127.0.0.1:1"));
        sentinels.setPassword("canary");

        assertThat(RedisRateLimiter.place(new LettuceConnectionFactory(sentinels)))
                .isEqualTo("the master mymaster of the sentinels 127.0.0.1:1");
    }

    @Test
    void refusesAPrefixThatWouldDecideWhereAKeyIs() {
        app.withPropertyValues("ratelimit.backend=redis", "spring.application.name={shop}")
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .startsWith("ratelimit.redis.prefix is, by spring.application.name, \"{shop}\""));
    }

    @Test
    void refusesAPolicyWhoseNameWouldDecideWhereAKeyIs() {
        app.withPropertyValues("ratelimit.policies[{web}].limits=5/1m")
                .run(context -> assertThat(context).hasNotFailed());
        app.withPropertyValues("ratelimit.backend=redis", "ratelimit.policies[{web}].limits=5/1m")
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .isEqualTo("ratelimit.policies.{web} cannot be in Redis: its name must be without braces"));
    }

    @Test
    void knowsEachPolicyByItsName() {
        app.withPropertyValues(
                        "ratelimit.backend=redis",
                        "ratelimit.policies.api.on-failure=deny",
                        "ratelimit.policies.api.penalty.after=5",
                        "ratelimit.policies.api.penalty.within=1m",
                        "ratelimit.policies.api.penalty.limits=1/1m",
                        "ratelimit.policies.api.penalty.for=1h",
                        "ratelimit.policies.own.limits=5/1m",
                        "ratelimit.policies.own.backend=local")
                .run(context -> {
                    RedisPolicies policies = new RedisPolicies(context.getBean(RateLimitProperties.class));
                    assertThat(policies.areInRedis("api")).isTrue();
                    assertThat(policies.onFailure("api")).isEqualTo(OnFailure.DENY);
                    assertThat(policies.areInRedis("api.penalty")).isTrue();
                    assertThat(policies.onFailure("api.penalty")).isEqualTo(OnFailure.DENY);
                    assertThat(policies.areInRedis("api.denials")).isFalse();
                    assertThat(policies.areInRedis("api.term")).isFalse();
                    assertThat(policies.areInRedis("own")).isFalse();
                    assertThat(policies.areInRedis("ReportService.latest")).isTrue();
                    assertThat(policies.onFailure("ReportService.latest")).isEqualTo(OnFailure.LOCAL);
                });
        app.withPropertyValues("ratelimit.policies.api.backend=redis")
                .run(context -> assertThat(new RedisPolicies(context.getBean(RateLimitProperties.class))
                                .areInRedis("ReportService.latest"))
                        .isFalse());
    }
}
