package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** Requests with keys in several slots of a cluster. */
class SlotsTest {
    private final Policy api = Policy.of("api", Limit.parse("5/1d"));
    private final Policy login = Policy.of("login", Limit.parse("2/1d"));

    @Test
    void chargesKeysInSeveralSlotsAllOrNothing() {
        try (RedisCluster cluster = RedisCluster.start(false)) {
            charges(new LettuceConnectionFactory(new RedisClusterConfiguration(
                    List.of("127.0.0.1:" + cluster.master(0).port()))));
        }
    }

    /** As it is for hire: many servers behind one address, which says only by an error that keys have to be in one slot. */
    @Test
    void chargesThemWhereOneAddressHasAllSlots() {
        try (RedisProcess redis = RedisProcess.start("cluster-enabled yes")) {
            redis.call(RedisCluster.addSlots(0, RedisCluster.SLOTS));
            charges(new LettuceConnectionFactory("127.0.0.1", redis.port()));
        }
    }

    private void charges(LettuceConnectionFactory connections) {
        connections.afterPropertiesSet();
        ConcurrentLinkedQueue<String> degraded = new ConcurrentLinkedQueue<>();
        try (RedisRateLimiter limiter = RedisRateLimiter.builder(connections)
                .timeout(Duration.ofSeconds(10))
                .degraded(degraded::add)
                .build()) {
            Awaitility.await()
                    .atMost(Duration.ofMinutes(1))
                    .until(
                            () -> { // on a busy machine the first connection may take longer than the limiter waits
                                degraded.clear();
                                for (int i = 0; i < 20; i++) {
                                    limiter.tryConsume(
                                            List.of(new Claim(api, "k" + i, 1), new Claim(login, "l" + i, 1)));
                                }
                                return degraded.isEmpty();
                            });
            for (int i = 0; i < 20; i++) {
                List<Claim> claims =
                        List.of(new Claim(api, "a" + i, 1), new Claim(login, "b" + i, 1), new Claim(api, "b" + i, 2));
                assertThat(limiter.tryConsume(claims))
                        .extracting(Decision::remaining)
                        .containsExactly(4L, 1L, 3L);
                assertThat(limiter.tryConsume(claims))
                        .extracting(Decision::remaining)
                        .containsExactly(3L, 0L, 1L);
                assertThat(limiter.tryConsume(claims))
                        .extracting(Decision::allowed)
                        .containsExactly(true, false, false);
                String key = "a" + i;
                Awaitility.await()
                        .untilAsserted(
                                () -> assertThat(limiter.peek(api, key, 1).remaining())
                                        .isEqualTo(2));
            }
            assertThat(degraded).isEmpty();
        } finally {
            connections.destroy();
        }
    }
}
