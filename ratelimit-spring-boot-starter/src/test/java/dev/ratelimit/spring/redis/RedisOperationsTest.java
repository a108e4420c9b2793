package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.BackendDegradedEvent;
import dev.ratelimit.spring.BackendRecoveredEvent;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.actuate.RateLimitHealth;
import dev.ratelimit.spring.actuate.RateLimitMeters;
import dev.ratelimit.spring.autoconfigure.RateLimitAutoConfiguration;
import dev.ratelimit.spring.autoconfigure.RateLimitHealthAutoConfiguration;
import dev.ratelimit.spring.autoconfigure.RateLimitMetricsAutoConfiguration;
import dev.ratelimit.spring.autoconfigure.RateLimitRedisAutoConfiguration;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.event.EventListener;

/** What an operator sees of Redis. */
class RedisOperationsTest {
    private final RedisProcess redis = RedisProcess.start();
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    DataRedisAutoConfiguration.class,
                    RateLimitRedisAutoConfiguration.class,
                    RateLimitAutoConfiguration.class,
                    RateLimitMetricsAutoConfiguration.class,
                    RateLimitHealthAutoConfiguration.class))
            .withBean(MeterRegistry.class, () -> registry)
            .withBean(Listener.class)
            .withPropertyValues(
                    "spring.data.redis.port=" + redis.port(),
                    "ratelimit.backend=redis",
                    "ratelimit.redis.timeout=1s",
                    "ratelimit.policies.api.limits=5000/1d",
                    "ratelimit.policies.login.limits=5000/1d",
                    "ratelimit.policies.login.on-failure=deny",
                    "ratelimit.policies.own.limits=5000/1d",
                    "ratelimit.policies.own.backend=local");

    static class Listener {
        private final BlockingQueue<Object> events = new LinkedBlockingQueue<>();

        @EventListener({BackendDegradedEvent.class, BackendRecoveredEvent.class})
        void on(Object event) {
            events.add(event);
        }
    }

    @AfterEach
    void stopRedis() {
        redis.close();
    }

    /** An application that is up, with its meters bound. */
    private record Application(ApplicationContext context, Policy api) {

        void ask(int times) {
            for (int i = 0; i < times; i++) {
                context.getBean(RateLimiter.class).tryConsume(api, "k", 1);
            }
        }

        Health health() {
            return context.getBean(RateLimitHealth.class).health();
        }

        Object event() throws InterruptedException {
            return context.getBean(Listener.class).events.poll(1, TimeUnit.MINUTES);
        }
    }

    private interface Script {
        void on(Application application) throws Exception;
    }

    private void run(Script test) {
        runner.run(context -> {
            context.getBean(RateLimitMeters.class).bindTo(registry);
            test.on(new Application(
                    context, context.getBean(ConfiguredPolicies.class).get("api")));
        });
    }

    private double breaker() {
        return registry.get("ratelimit.redis.breaker").gauge().value();
    }

    private double failures(String reason) {
        return registry.get("ratelimit.redis.failures")
                .tag("reason", reason)
                .functionCounter()
                .count();
    }

    private double waits() {
        return registry.get("ratelimit.redis.latency").functionTimer().count();
    }

    @Test
    void timesWhatIsDecidedInRedis() {
        run(application -> {
            application.ask(3);

            assertThat(waits()).isEqualTo(3);
            assertThat(registry.get("ratelimit.redis.latency").functionTimer().totalTime(TimeUnit.NANOSECONDS))
                    .isPositive();
            assertThat(breaker()).isZero();
            assertThat(registry.get("ratelimit.keys")
                            .tag("policy", "own")
                            .gauge()
                            .value())
                    .isZero();
            assertThat(application.health())
                    .isEqualTo(Health.up().withDetail("redis", "available").build());
        });
    }

    @Test
    void tellsOfAnOutageAndOfItsEndAndStaysUp() {
        run(application -> {
            application.ask(1);
            redis.kill();
            application.ask(20);

            assertThat(breaker()).isEqualTo(1);
            assertThat(failures("unreachable")).isPositive();
            assertThat(failures("unreachable") + failures("timeout")).isGreaterThanOrEqualTo(5);
            assertThat(registry.get("ratelimit.decisions")
                            .tags("policy", "api", "outcome", "degraded")
                            .functionCounter()
                            .count())
                    .isEqualTo(20);
            assertThat(application.health().getStatus()).isEqualTo(Status.UP);
            assertThat(application.health().getDetails())
                    .isEqualTo(Map.of("redis", "degraded", "onFailure", Map.of("api", "local", "login", "deny")));
            assertThat(application.event()).isEqualTo(new BackendDegradedEvent("redis"));

            redis.restart();
            Awaitility.await().until(() -> {
                application.ask(1);
                return breaker() == 0;
            });
            assertThat(application.event()).isEqualTo(new BackendRecoveredEvent("redis"));
            assertThat(application.health().getDetails()).isEqualTo(Map.of("redis", "available"));
        });
    }

    @Test
    void countsEachDecisionWithoutRedisOnceAsSuch() {
        run(application -> {
            redis.kill();
            Policy login = application.context.getBean(ConfiguredPolicies.class).get("login");
            PolicyLimiter limiter = application.context.getBean(PolicyLimiter.class);
            for (int i = 0; i < 7; i++) {
                assertThat(limiter.decide(login, "k", 1).decision().unavailable())
                        .isTrue();
            }
            assertThat(limiter.decide(application.api, "k", 1).decision().allowed())
                    .isTrue();

            RateLimitCounts counts = application.context.getBean(RateLimitCounts.class);
            assertThat(counts.count("login", Outcome.DEGRADED)).isEqualTo(7);
            assertThat(counts.count("login", Outcome.DENIED)).isZero();
            assertThat(counts.count("api", Outcome.DEGRADED)).isEqualTo(1);
            assertThat(counts.count("api", Outcome.ALLOWED)).isEqualTo(1);
        });
    }

    @Test
    void tellsWhenABucketInRedisIsFullAgain() {
        run(application -> {
            Policy own = Policy.of("both", Limit.parse("10/1m"), Limit.parse("100/1d"));
            PolicyLimiter limiter = application.context.getBean(PolicyLimiter.class);
            assertThat(limiter.resetAfterNanos(own, "k")).isZero();
            limiter.decide(own, "k", 1);
            assertThat(Duration.ofNanos(limiter.resetAfterNanos(own, "k")))
                    .isBetween(Duration.ofMinutes(13), Duration.ofSeconds(864));
        });
    }

    @Test
    void describesItsMeters() {
        run(application -> assertThat(registry.getMeters())
                .allSatisfy(meter -> assertThat(meter.getId().getDescription())
                        .as(meter.getId().getName())
                        .isNotBlank()));
    }

    @Test
    void tellsAServerThatHangsFromOneThatIsNotThere() {
        run(application -> {
            application.ask(1);
            redis.pause();
            application.ask(5);
            redis.resume();

            assertThat(failures("timeout")).isEqualTo(5);
            assertThat(failures("unreachable")).isZero();
            assertThat(waits()).isEqualTo(6);
        });
    }

    @Test
    void tellsWhatRedisRefusesFromWhatNobodyCanRead() {
        run(application -> {
            application.ask(1);
            redis.call("SET", (String) ((List<?>) redis.call("KEYS", "*")).get(0), "of somebody else");
            application.ask(1);
            assertThat(failures("unreadable")).isEqualTo(1);

            redis.call("FLUSHALL");
            redis.call("CONFIG", "SET", "min-replicas-to-write", "1");
            application.ask(1);
            assertThat(failures("refused")).isEqualTo(1);
            assertThat(breaker()).isZero();
        });
    }

    @Test
    void hasNothingToSayOfRedisWhereItIsNotInUse() {
        runner.withPropertyValues("ratelimit.backend=local").run(context -> {
            context.getBean(RateLimitMeters.class).bindTo(registry);
            assertThat(context).hasNotFailed().doesNotHaveBean(RateLimitHealth.class);
            assertThat(registry.getMeters())
                    .isNotEmpty()
                    .noneMatch(meter -> meter.getId().getName().startsWith("ratelimit.redis"));
        });
    }

    @Test
    void leavesOutWhatIsNotThereOrNotWanted() {
        runner.withPropertyValues("management.health.ratelimit.enabled=false")
                .run(context -> assertThat(context).doesNotHaveBean(RateLimitHealth.class));
        runner.withClassLoader(new FilteredClassLoader(HealthIndicator.class))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean("ratelimitHealthIndicator"));
        runner.withClassLoader(new FilteredClassLoader("io.micrometer.core"))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean("rateLimitMeters"));
    }
}
