package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.OnFailure;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** Whatever is found where a bucket should be: no exception, no full bucket, and no harm to other keys. */
class UnreadableValueTest {
    private final Policy api = Policy.of("api", Limit.parse("5/1d"));

    /** How to plant each, in Lua. */
    private static final List<String> VALUES = List.of(
            "redis.call('SET', KEYS[1], '')",
            "redis.call('SET', KEYS[1], 'mine')",
            "redis.call('SET', KEYS[1], '5')",
            "redis.call('SET', KEYS[1], '{\"tokens\":5}')",
            "redis.call('SET', KEYS[1], string.rep('x', 100000))",
            "redis.call('SET', KEYS[1], string.char(0xdd, 0x7f, 0xff, 0xff, 0xff))",
            "redis.call('SET', KEYS[1], string.char(0xc1))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(1))",
            "redis.call('SET', KEYS[1], cmsgpack.pack('text'))",
            "redis.call('SET', KEYS[1], cmsgpack.pack({1, 0, 0, 5, 1, 17280000000}))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 0) .. struct.pack('<d', 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 2 ^ 40) .. struct.pack('<d', 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 0.5) .. struct.pack('<d', 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 1000, 1, 17280000000))", // as long as if two doubles
            // followed
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<d', 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<ddddd', 0, 0, 0, 0, 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(3, 1, 5, 1, 17280000000) .. struct.pack('<dd', 0, 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 2, 5, 1, 17280000000) .. struct.pack('<dd', 0, 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<dd', 0, -1))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<dd', 0, 0 / 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<dd', 0, 1 / 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<dd', 0, 0.5))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<dd', 0, 2 ^ 53))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<dd', -1, 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<dddd', 0, 0, -1, 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<dddd', 0, 0, 0, 0 / 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<ddd', 0, 0, 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 0, 17280000000) .. struct.pack('<dd', 0, 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 0, 1, 17280000000) .. struct.pack('<dd', 0, 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, '0') .. struct.pack('<dd', 0, 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 2 ^ 53) .. struct.pack('<dd', 0, 0))",
            "redis.call('SET', KEYS[1], cmsgpack.pack(2, 1, 5, 1, 17280000000) .. struct.pack('<dd', 0, 0) .. 'x')",
            "redis.call('HSET', KEYS[1], 'tokens', '5')",
            "redis.call('RPUSH', KEYS[1], '5')");

    @Test
    void isNeverAFullBucketAndHarmsNoOtherKey() {
        ConcurrentLinkedQueue<String> degraded = new ConcurrentLinkedQueue<>();
        try (RedisProcess server = RedisProcess.start()) {
            LettuceConnectionFactory connections = new LettuceConnectionFactory("127.0.0.1", server.port());
            connections.afterPropertiesSet();
            try (RedisRateLimiter limiter = RedisRateLimiter.builder(connections)
                    .timeout(Duration.ofSeconds(10))
                    .onFailure(policy -> OnFailure.DENY)
                    .degraded(degraded::add)
                    .build()) {
                limiter.tryConsume(api, "k", 1);
                String key = (String) ((List<?>) server.call("KEYS", "*")).get(0);
                for (String value : VALUES) {
                    server.call("EVAL", "redis.call('DEL', KEYS[1]) " + value, "1", key);
                    Object planted = server.call("DUMP", key);
                    degraded.clear();

                    Decision decision = limiter.tryConsume(api, "k", 1);
                    limiter.refund(api, "k", 1);
                    limiter.charge(api, "k", 1);

                    assertThat(decision.unavailable()).as(value).isTrue();
                    assertThat(limiter.peek(api, "k", 1).unavailable())
                            .as(value)
                            .isTrue();
                    assertThat(degraded).as(value).containsExactly("api"); // whoever peeks decides nothing
                    assertThat(server.call("DUMP", key)).as(value).isEqualTo(planted);

                    limiter.reset(api, "k");
                    assertThat(limiter.tryConsume(api, "k", 5).allowed())
                            .as(value)
                            .isTrue();
                }
                degraded.clear();
                assertThat(limiter.tryConsume(api, "other", 5).allowed()).isTrue();
                assertThat(degraded).isEmpty();
            } finally {
                connections.destroy();
            }
        }
    }
}
