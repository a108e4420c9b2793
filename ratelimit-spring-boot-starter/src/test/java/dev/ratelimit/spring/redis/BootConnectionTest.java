package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.autoconfigure.RateLimitAutoConfiguration;
import dev.ratelimit.spring.autoconfigure.RateLimitRedisAutoConfiguration;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** The limiter's own connection goes wherever Boot's properties say, and as they say. */
class BootConnectionTest {
    private static final Policy API = Policy.of("api", Limit.parse("1000000/1d"));
    private static final String PASSWORD = "changeit";

    private final ApplicationContextRunner app = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    SslAutoConfiguration.class,
                    DataRedisAutoConfiguration.class,
                    RateLimitRedisAutoConfiguration.class,
                    RateLimitAutoConfiguration.class))
            .withPropertyValues(
                    "ratelimit.backend=redis",
                    "ratelimit.redis.timeout=10s",
                    "ratelimit.policies.api.limits=5/1m",
                    "ratelimit.policies.api.on-failure=deny");

    private void requireDecisions(RedisProcess redis, String... properties) {
        app.withPropertyValues(properties).run(context -> {
            RedisRateLimiter limiter = context.getBean(RedisRateLimiter.class);
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> limiter.tryConsume(API, "k", 1).allowed());
            assertThat(redis.calls("eval") + redis.calls("evalsha")).isPositive();
        });
    }

    @Test
    void goesByUrlOverTlsAsAUser(@TempDir Path directory) throws Exception {
        Path keys = directory.resolve("keys.p12");
        makeKeys(keys);
        String others = "user default on nopass ~* +@all -eval -evalsha";
        try (RedisProcess redis = RedisProcess.start(others, "user ann on >secret ~* +@all");
                FaultyProxy tls = new FaultyProxy(redis.port(), socketsWith(keys))) {
            requireDecisions(
                    redis,
                    "spring.data.redis.url=rediss://ann:secret@127.0.0.1:" + tls.port(),
                    "spring.data.redis.ssl.bundle=redis",
                    "spring.ssl.bundle.jks.redis.truststore.location=" + keys.toUri(),
                    "spring.ssl.bundle.jks.redis.truststore.password=" + PASSWORD);
        }
    }

    /** Makes a key, and a certificate of it that says that it is of this machine. */
    private static void makeKeys(Path file) throws Exception {
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "san=ip:127.0.0.1",
                        "-storepass",
                        PASSWORD,
                        "-keystore",
                        file.toString())
                .inheritIO()
                .start();
        assertThat(keytool.waitFor()).isZero();
    }

    private static ServerSocketFactory socketsWith(Path file) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context.getServerSocketFactory();
    }

    @Test
    void asksSentinelsForTheMaster() {
        try (RedisProcess master = RedisProcess.start();
                RedisProcess sentinel = RedisProcess.startSentinel(master, Duration.ofMinutes(1))) {
            requireDecisions(
                    master,
                    "spring.data.redis.sentinel.master=main",
                    "spring.data.redis.sentinel.nodes=127.0.0.1:" + sentinel.port());
        }
    }
}
