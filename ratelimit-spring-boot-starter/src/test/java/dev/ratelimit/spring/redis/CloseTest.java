package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.autoconfigure.RateLimitAutoConfiguration;
import dev.ratelimit.spring.autoconfigure.RateLimitRedisAutoConfiguration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** An application that stops while Redis is away has nothing to say of that. */
class CloseTest {
    private static final Policy API = Policy.of("api", Limit.parse("10/1d"));

    private final ApplicationContextRunner app = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    DataRedisAutoConfiguration.class,
                    RateLimitRedisAutoConfiguration.class,
                    RateLimitAutoConfiguration.class))
            .withPropertyValues(
                    "spring.data.redis.host=127.0.0.1",
                    "ratelimit.backend=redis",
                    "ratelimit.policies.api.limits=5/1m");

    @ParameterizedTest
    @EnumSource(names = {"KILLED", "PAUSED", "SILENT", "RESET"})
    void closesInSilence(Fault fault) {
        try (RedisProcess redis = RedisProcess.start();
                FaultyProxy proxy = new FaultyProxy(redis.port());
                LogLines lines = new LogLines()) {
            AtomicInteger before = new AtomicInteger();
            app.withPropertyValues("spring.data.redis.port=" + proxy.port()).run(context -> {
                RedisRateLimiter limiter = context.getBean(RedisRateLimiter.class);
                limiter.tryConsume(API, "k", 1);
                fault.strike(redis, proxy);
                while (!limiter.stats().isFailing()) {
                    limiter.tryConsume(API, "k", 1);
                }
                before.set(lines.complaints().size());
            });
            System.gc(); // Lettuce complains of what was forgotten when that is collected

            assertThat(lines.complaints()
                            .subList(before.get(), lines.complaints().size()))
                    .isEmpty();
        }
    }

    @Test
    void leavesResourcesToWhomTheyBelong() {
        try (RedisProcess redis = RedisProcess.start()) {
            app.withPropertyValues("spring.data.redis.port=" + redis.port()).run(context -> {
                context.getBean(RedisRateLimiter.class).close();

                assertThat(context.getBean(LettuceConnectionFactory.class)
                                .getConnection()
                                .ping())
                        .isEqualTo("PONG");
            });
        }
    }
}
