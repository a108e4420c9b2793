package dev.ratelimit.sample;

import static dev.ratelimit.test.RateLimitAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static redis.embedded.core.ExecutableProvider.ENVIRONMENT_EXECUTABLE_LOCATION;
import static redis.embedded.core.ExecutableProvider.newEnvironmentVariableProvider;
import static redis.embedded.core.ExecutableProvider.newJarResourceProvider;

import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.redis.RedisRateLimiter;
import dev.ratelimit.spring.redis.RedisStats;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import redis.embedded.RedisServer;

/** Two instances of the sample, as docs/redis.md starts them, and the Redis that they share; or do not. */
class RedisProfileTest {
    private static final long MILLIS = Long.getLong("redis.fault-millis", 500);

    /** For a decision: what is promised, or what even a busy machine keeps to as long as Redis is there. */
    private static final Duration DEADLINE = Duration.ofMillis(Boolean.getBoolean("redis.proofs") ? 100 : 5_000);

    private final HttpClient client = HttpClient.newHttpClient();
    private final int redisPort = freePort();

    /** A port that clients are not given by the system, so that it is still free when Redis comes back. */
    private static int freePort() {
        while (true) {
            try (ServerSocket socket =
                    new ServerSocket(ThreadLocalRandom.current().nextInt(10_000, 22_000))) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                // the next one, then
            }
        }
    }

    @BeforeEach
    void thereMayBeNoRedisHere() {
        Assumptions.assumeFalse("skip".equals(System.getProperty("redis.tests")), "skipped by -Dredis.tests=skip");
    }

    private RedisServer startRedis() throws IOException {
        boolean named = System.getenv(ENVIRONMENT_EXECUTABLE_LOCATION) != null;
        RedisServer redis = RedisServer.newRedisServer()
                .port(redisPort)
                .setting("bind 127.0.0.1")
                .setting("save \"\"")
                .executableProvider(named ? newEnvironmentVariableProvider() : newJarResourceProvider())
                .onShutdownForceStop(true)
                .build();
        redis.start();
        return redis;
    }

    private ConfigurableApplicationContext startInstance(String... profiles) {
        return new SpringApplicationBuilder(SampleApplication.class)
                .profiles(profiles)
                .run(
                        "--server.port=0",
                        "--spring.data.redis.port=" + redisPort,
                        "--ratelimit.redis.timeout=" + DEADLINE.toMillis());
    }

    private static int port(ConfigurableApplicationContext instance) {
        return instance.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
    }

    private HttpResponse<String> get(ConfigurableApplicationContext instance, String path) throws Exception {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://localhost:" + port(instance) + path))
                        .build(),
                BodyHandlers.ofString());
    }

    @Test
    void twoInstancesShareLimits() throws Exception {
        RedisServer redis = startRedis();
        try (ConfigurableApplicationContext one = startInstance("redis");
                ConfigurableApplicationContext other = startInstance("redis")) {
            assertThat(get(one, "/api/hello")).isAllowed().remaining(4);
            assertThat(get(other, "/api/hello")).isAllowed().remaining(3);
            assertThat(get(one, "/api/hello")).isAllowed().remaining(2);
            assertThat(get(other, "/api/hello")).isAllowed().remaining(1);
            assertThat(get(one, "/api/hello")).isAllowed().remaining(0);
            assertThat(get(other, "/api/hello")).isRateLimited().violates("api");
            assertThat(get(one, "/api/hello")).isRateLimited().violates("api");

            for (int i = 0; i < 4; i++) {
                assertThat(get(i % 2 == 0 ? one : other, "/reports/acme")).isAllowed();
            }
            assertThat(get(one, "/reports/acme")).isAllowed().remaining(0);
            assertThat(get(other, "/reports/acme")).isRateLimited().violates("ReportService.latest");
        } finally {
            redis.stop();
        }
    }

    @Test
    void anInstanceThatStopsLeavesNoConnection() throws Exception {
        RedisServer redis = startRedis();
        RedisClient observer = RedisClient.create("redis://localhost:" + redisPort);
        try (StatefulRedisConnection<String, String> connection = observer.connect()) {
            try (ConfigurableApplicationContext instance = startInstance("redis")) {
                assertThat(get(instance, "/api/hello")).isAllowed();
                assertThat(connection.sync().clientList().lines()).hasSize(2);
            }
            await().until(() -> connection.sync().clientList().lines().count() == 1);
        } finally {
            observer.shutdown();
            redis.stop();
        }
    }

    @Test
    void anInstanceStartsWithoutRedisAndHasItsShareOfTheLimits() throws Exception {
        try (ConfigurableApplicationContext instance = startInstance("redis")) {
            assertThat(get(instance, "/api/hello")).isAllowed();
            assertThat(get(instance, "/api/hello")).isAllowed();
            assertThat(get(instance, "/api/hello")).isRateLimited().violates("api");
            assertThat(get(instance, "/weather/Rome").body()).startsWith("Known again in");

            assertThat(instance.getBean(RateLimitCounts.class).count("api", Outcome.DEGRADED))
                    .isEqualTo(3);
        }
    }

    /**
     * As {@code kill -9}, while clients ask as fast as they are answered; then it comes back, without data. Longer, and at the
     * deadline that is promised, with {@code -Dredis.proofs=true -Dredis.fault-millis=10000}.
     */
    @Test
    void twoInstancesUnderLoadOutliveTheirRedis() throws Exception {
        RedisServer redis = startRedis();
        try (ConfigurableApplicationContext one = startInstance("redis", "playground");
                ConfigurableApplicationContext other = startInstance("redis", "playground");
                HttpLoad load = HttpLoad.on(port(one), port(other))) {
            awaitFailing(false, one, other); // which a slow machine may have been too slow to connect at once
            HttpLoad.Phase well = load.phase("well", MILLIS);
            HttpLoad.Phase killed = load.begin("killed");
            redis.stop();
            awaitFailing(true, one, other);
            HttpLoad.Phase away = load.phase("away", MILLIS);
            HttpLoad.Phase back = load.begin("back");
            redis.start();
            long backAt = System.nanoTime();
            awaitFailing(false, one, other);
            long recovery = System.nanoTime() - backAt;
            load.phase("settled", 0); // a decision that was under way then may be counted a moment later
            long degraded = degraded(one) + degraded(other);
            HttpLoad.Phase wellAgain = load.phase("well again", MILLIS);
            load.end();

            load.report();
            System.out.println(
                    "Redis decided again after " + Duration.ofNanos(recovery).toMillis() + " ms");
            assertThat(load.failures()).isEmpty();
            assertThat(load.statuses()).containsOnlyKeys(200, 429);
            assertThat(load.slowest()).isLessThan(DEADLINE.multipliedBy(5));
            for (String limit : List.of("api", "reports")) { // 5/1m, of which an instance has 2/2m by itself
                assertThat(well.admitted(limit))
                        .hasSize(HttpLoad.KEYS)
                        .allMatch(tokens -> tokens >= 5 && tokens <= 5 + well.refilled());
                // What Redis has just admitted may not be taken from the bucket here yet.
                assertThat(killed.admitted(limit))
                        .allMatch(tokens -> tokens <= 5 + 2 + HttpLoad.CLIENTS + killed.refilled());
                assertThat(away.admitted(limit))
                        .hasSize(HttpLoad.KEYS)
                        .allMatch(tokens -> tokens >= 4 && tokens <= 4 + away.refilled());
                assertThat(back.admitted(limit)).allMatch(tokens -> tokens <= 4 + 5 + back.refilled());
                assertThat(wellAgain.admitted(limit))
                        .hasSize(HttpLoad.KEYS)
                        .allMatch(tokens -> tokens >= 5 && tokens <= 5 + wellAgain.refilled());
            }
            assertThat(away.admitted("weather")).isEmpty(); // on-failure: deny
            assertThat(degraded(one) + degraded(other)).isEqualTo(degraded);
        } finally {
            redis.stop();
        }
    }

    private static void awaitFailing(boolean failing, ConfigurableApplicationContext... instances) {
        for (ConfigurableApplicationContext instance : instances) {
            RedisStats stats = instance.getBean(RedisRateLimiter.class).stats();
            await().atMost(Duration.ofSeconds(30))
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> stats.isFailing() == failing);
        }
    }

    private static long degraded(ConfigurableApplicationContext instance) {
        return instance.getBean(RateLimitCounts.class).count("api", Outcome.DEGRADED);
    }
}
