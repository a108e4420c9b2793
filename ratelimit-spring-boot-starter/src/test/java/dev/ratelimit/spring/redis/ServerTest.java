package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.OnFailure;
import java.time.Duration;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** Servers that answer, but not as they should, and what is said of those that are set up wrong. */
class ServerTest {
    private final Policy api = Policy.of("api", Limit.parse("1000/1d"));

    private static void with(
            RedisStandaloneConfiguration server,
            Duration timeout,
            OnFailure onFailure,
            Consumer<RedisRateLimiter> test) {
        LettuceConnectionFactory connections = new LettuceConnectionFactory(server);
        connections.afterPropertiesSet();
        try (RedisRateLimiter limiter = RedisRateLimiter.builder(connections)
                .timeout(timeout)
                .onFailure(policy -> onFailure)
                .build()) {
            test.accept(limiter);
        } finally {
            connections.destroy();
        }
    }

    private static RedisStandaloneConfiguration at(int port) {
        return new RedisStandaloneConfiguration("127.0.0.1", port);
    }

    /** However many answers to refunds, or to what gives back a late charge, come in the end. */
    @ParameterizedTest
    @EnumSource
    void leavesAServerThatAlwaysAnswersTooLate(OnFailure onFailure) {
        try (RedisProcess redis = RedisProcess.start();
                FaultyProxy proxy = new FaultyProxy(redis.port())) {
            with(at(proxy.port()), Duration.ofMillis(100), onFailure, limiter -> {
                proxy.delayAnswers(150);
                Awaitility.await().until(() -> {
                    limiter.tryConsume(api, "k", 1);
                    limiter.refund(api, "k", 1);
                    return limiter.stats().isFailing();
                });
            });
        }
    }

    @Test
    void leavesAServerWhoseLateChargesAreGivenBackTooLate() {
        try (RedisProcess redis = RedisProcess.start();
                FaultyProxy proxy = new FaultyProxy(redis.port())) {
            with(at(proxy.port()), Duration.ofMillis(100), OnFailure.DENY, limiter -> {
                proxy.delayAnswers(150);
                Awaitility.await().until(() -> {
                    limiter.tryConsume(api, "k", 1);
                    return limiter.stats().isFailing();
                });
            });
        }
    }

    @Test
    void saysWhyItCannotConnect() {
        try (RedisProcess redis = RedisProcess.start();
                LogLines lines = new LogLines()) {
            redis.call("ACL", "SETUSER", "app", "on", ">right", "~*", "+@all");
            RedisStandaloneConfiguration server = at(redis.port());
            server.setUsername("app");
            server.setPassword("wrong");
            // Lettuce seldom has heard of its own closing of the connection before it tells why it closed it.
            Awaitility.await()
                    .untilAsserted(() -> with(server, Duration.ofSeconds(10), OnFailure.DENY, limiter -> {
                        assertThat(limiter.tryConsume(api, "k", 1).unavailable())
                                .isTrue();
                        assertThat(lines.ofLimiter()).anyMatch(line -> line.contains("WRONGPASS"));
                    }));
        }
    }

    @Test
    void needsNoMoreThanTheDocumentationSays() {
        try (RedisProcess redis = RedisProcess.start();
                LogLines lines = new LogLines()) {
            String[] user = "ACL SETUSER app on >right ~ratelimit:* +evalsha +eval +time +get +set +hello +ping +client"
                    .split(" ");
            redis.call(user);
            RedisStandaloneConfiguration server = at(redis.port());
            server.setUsername("app");
            server.setPassword("right");
            with(server, Duration.ofSeconds(10), OnFailure.DENY, limiter -> {
                assertThat(limiter.tryConsume(api, "k", 1).remaining()).isEqualTo(999);
                limiter.reset(api, "k");
                assertThat(limiter.tryConsume(api, "k", 1).remaining()).isEqualTo(999);
                Awaitility.await()
                        .untilAsserted(() -> assertThat(lines.ofLimiter())
                                .singleElement()
                                .asString()
                                .contains("maxmemory-policy", "NOPERM"));
            });
        }
    }

    @Test
    void tellsAUserWithoutRightsFromAValueThatIsNotOurs() {
        try (RedisProcess redis = RedisProcess.start()) {
            redis.call("ACL SETUSER app on >right ~ratelimit:* +@all -get".split(" "));
            RedisStandaloneConfiguration server = at(redis.port());
            server.setUsername("app");
            server.setPassword("right");
            with(
                    server,
                    Duration.ofSeconds(10),
                    OnFailure.DENY,
                    limiter -> Awaitility.await().untilAsserted(() -> {
                        assertThat(limiter.tryConsume(api, "k", 1).unavailable())
                                .isTrue();
                        assertThat(limiter.stats().failures(RedisStats.Failure.REFUSED))
                                .isPositive();
                        assertThat(limiter.stats().failures(RedisStats.Failure.UNREADABLE))
                                .isZero();
                    }));
        }
    }

    @Test
    void warnsOfAServerThatMayEvictBuckets() {
        try (RedisProcess redis = RedisProcess.start("maxmemory 100mb", "maxmemory-policy volatile-lru");
                LogLines lines = new LogLines()) {
            with(
                    at(redis.port()),
                    Duration.ofSeconds(10),
                    OnFailure.DENY,
                    limiter -> Awaitility.await()
                            .untilAsserted(() -> assertThat(lines.ofLimiter())
                                    .singleElement()
                                    .asString()
                                    .contains("volatile-lru")));
        }
    }
}
