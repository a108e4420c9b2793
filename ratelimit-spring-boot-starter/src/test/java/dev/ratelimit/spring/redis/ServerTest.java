package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.OnFailure;
import java.time.Duration;
import java.util.function.Consumer;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisConfiguration;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** Servers that answer, but not as they should, and what is said of those that are set up wrong. */
class ServerTest {
    /** As docs/redis.md has them. */
    private static final String USER =
            "ACL SETUSER app on >secret ~shop:* +hello +ping +client +info +evalsha +eval +time +get +set";

    private static final String USER_OF_SENTINEL =
            "ACL SETUSER app on >secret +hello +ping +client +sentinel|get-master-addr-by-name";

    private final Policy api = Policy.of("api", Limit.parse("1000/1d"));

    private static void with(
            RedisStandaloneConfiguration server,
            Duration timeout,
            OnFailure onFailure,
            Consumer<RedisRateLimiter> test) {
        with(new LettuceConnectionFactory(server), timeout, onFailure, test);
    }

    private static void with(
            LettuceConnectionFactory connections,
            Duration timeout,
            OnFailure onFailure,
            Consumer<RedisRateLimiter> test) {
        connections.afterPropertiesSet();
        try (RedisRateLimiter limiter = RedisRateLimiter.builder(connections)
                .prefix("shop")
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
    void findsAServerWhoseFactoryWasMadeWithAnInterface() {
        try (RedisProcess redis = RedisProcess.start()) {
            RedisConfiguration server = at(redis.port());
            with(
                    new LettuceConnectionFactory(server),
                    Duration.ofSeconds(10),
                    OnFailure.DENY,
                    limiter -> requireDecisions(limiter, "k"));
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
        try (RedisProcess redis = RedisProcess.start()) {
            redis.call((USER + " +select").split(" "));
            RedisStandaloneConfiguration server = asUser(at(redis.port()));
            server.setDatabase(1);
            with(server, Duration.ofSeconds(10), OnFailure.DENY, limiter -> {
                requireDecisions(limiter, "k");
                limiter.reset(api, "k");
                requireDecisions(limiter, "k");
            });
            requireNothingRefused(redis);
        }
    }

    @Test
    void needsNoMoreThanThatOfSentinel() {
        try (RedisProcess redis = RedisProcess.start();
                RedisProcess sentinel = RedisProcess.startSentinel(redis, Duration.ofSeconds(10))) {
            redis.call(USER.split(" "));
            sentinel.call(USER_OF_SENTINEL.split(" "));
            RedisSentinelConfiguration server =
                    asUser(new RedisSentinelConfiguration().master("main").sentinel("127.0.0.1", sentinel.port()));
            server.setSentinelUsername("app");
            server.setSentinelPassword("secret");
            with(
                    new LettuceConnectionFactory(server),
                    Duration.ofSeconds(10),
                    OnFailure.DENY,
                    limiter -> requireDecisions(limiter, "k"));
            requireNothingRefused(redis);
            requireNothingRefused(sentinel);
        }
    }

    @Test
    void needsNoMoreThanThatOfACluster() {
        try (RedisCluster cluster = RedisCluster.start(false)) {
            for (int i = 0; i < RedisCluster.MASTERS; i++) {
                cluster.master(i).call((USER + " +cluster|nodes +cluster|myid +asking").split(" "));
            }
            RedisClusterConfiguration server = asUser(new RedisClusterConfiguration(cluster.addresses()));
            with(new LettuceConnectionFactory(server), Duration.ofSeconds(10), OnFailure.DENY, limiter -> {
                for (int i = 0; i < RedisCluster.MASTERS; i++) {
                    requireDecisions(limiter, RedisCluster.keyOn(i, "k"));
                }
                String key = RedisCluster.keyOn(0, "k");
                int slot = cluster.slot('{' + new RedisKeys("shop", null).hash(key) + '}');
                cluster.moveKeys(slot, cluster.master(0), cluster.master(1));
                assertThat(limiter.tryConsume(api, key, 1).remaining()).isEqualTo(998);
            });
            for (int i = 0; i < RedisCluster.MASTERS; i++) {
                requireNothingRefused(cluster.master(i));
            }
        }
    }

    private static <T extends RedisConfiguration.WithAuthentication> T asUser(T server) {
        server.setUsername("app");
        server.setPassword("secret");
        return server;
    }

    private void requireDecisions(RedisRateLimiter limiter, String key) {
        Awaitility.await() // for the connection, on a busy machine
                .atMost(Duration.ofMinutes(1))
                .until(() -> !limiter.peek(api, key, 1).unavailable());
        assertThat(limiter.tryConsume(api, key, 1).remaining()).isEqualTo(999);
    }

    private static void requireNothingRefused(RedisProcess redis) {
        assertThat(redis.call("ACL", "LOG"))
                .asInstanceOf(InstanceOfAssertFactories.LIST)
                .isEmpty();
    }

    @Test
    void saysThatItMayNotAskForTheEvictionPolicy() {
        try (RedisProcess redis = RedisProcess.start();
                LogLines lines = new LogLines()) {
            redis.call((USER + " -info").split(" "));
            with(asUser(at(redis.port())), Duration.ofSeconds(10), OnFailure.DENY, limiter -> {
                requireDecisions(limiter, "k");
                Awaitility.await()
                        .untilAsserted(() -> assertThat(lines.ofLimiter())
                                .anyMatch(line -> line.contains("maxmemory-policy") && line.contains("NOPERM")));
            });
        }
    }

    @Test
    void tellsAUserWithoutRightsFromAValueThatIsNotOurs() {
        try (RedisProcess redis = RedisProcess.start()) {
            redis.call((USER + " -get").split(" "));
            with(
                    asUser(at(redis.port())),
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
                            .atMost(Duration.ofMinutes(1))
                            .untilAsserted(() -> assertThat(lines.ofLimiter())
                                    .filteredOn(line -> line.contains("maxmemory"))
                                    .singleElement()
                                    .asString()
                                    .contains("volatile-lru")));
        }
    }
}
