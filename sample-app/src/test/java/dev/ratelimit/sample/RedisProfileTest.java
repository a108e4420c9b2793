package dev.ratelimit.sample;

import static dev.ratelimit.test.RateLimitAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import redis.embedded.RedisServer;

/** Two instances of the sample, as docs/redis.md starts them, and the Redis that they share; or do not. */
class RedisProfileTest {
    private final HttpClient client = HttpClient.newHttpClient();
    private final int redisPort = freePort();

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @BeforeEach
    void thereMayBeNoRedisHere() {
        Assumptions.assumeFalse("skip".equals(System.getProperty("redis.tests")), "skipped by -Dredis.tests=skip");
    }

    private RedisServer startRedis() throws IOException {
        RedisServer redis = RedisServer.newRedisServer()
                .port(redisPort)
                .setting("bind 127.0.0.1")
                .setting("save \"\"")
                .build();
        redis.start();
        return redis;
    }

    private ConfigurableApplicationContext startInstance() {
        return new SpringApplicationBuilder(SampleApplication.class)
                .profiles("redis")
                .run("--server.port=0", "--spring.data.redis.port=" + redisPort);
    }

    private HttpResponse<String> get(ConfigurableApplicationContext instance, String path) throws Exception {
        String port = instance.getEnvironment().getProperty("local.server.port");
        return client.send(
                HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                        .build(),
                BodyHandlers.ofString());
    }

    @Test
    void twoInstancesShareLimits() throws Exception {
        RedisServer redis = startRedis();
        try (ConfigurableApplicationContext one = startInstance();
                ConfigurableApplicationContext other = startInstance()) {
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
            try (ConfigurableApplicationContext instance = startInstance()) {
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
        try (ConfigurableApplicationContext instance = startInstance()) {
            assertThat(get(instance, "/api/hello")).isAllowed();
            assertThat(get(instance, "/api/hello")).isAllowed();
            assertThat(get(instance, "/api/hello")).isRateLimited().violates("api");
            assertThat(get(instance, "/weather/Rome").body()).startsWith("Known again in");

            assertThat(instance.getBean(RateLimitCounts.class).count("api", Outcome.DEGRADED))
                    .isEqualTo(3);
        }
    }

    @Test
    void anInstanceGoesOnWhenRedisGoesAway() throws Exception {
        RedisServer redis = startRedis();
        try (ConfigurableApplicationContext instance = startInstance()) {
            assertThat(get(instance, "/api/hello")).isAllowed().remaining(4);
            redis.stop();
            assertThat(get(instance, "/api/hello")).isAllowed();
            assertThat(get(instance, "/api/hello")).isRateLimited();
        } finally {
            redis.stop();
        }
    }
}
