package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Claim;
import dev.ratelimit.Limit;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DenialsTest {
    private static final int MAXIMUM = 100;

    private final Policy policy = Policy.of("api", Limit.parse("5/1d"));
    private final RedisPolicy terms = new RedisPolicy(policy, 1);
    private final RedisKeys keys = new RedisKeys("app", null);
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final Denials denials = new Denials(clock, MAXIMUM);

    private RedisClaim claim(String key) {
        return new RedisClaim(new Claim(policy, key, 1), terms, keys.hash(key), keys);
    }

    private void deny(String key) {
        denials.remember(claim(key), terms.charged(new long[1], 5), clock.nanos());
    }

    private boolean isDenied(String key) {
        return denials.decide(List.of(claim(key)), 0, false) != null;
    }

    @Test
    void remembersNoMoreKeysThanTold() {
        for (int i = 0; i < 10 * MAXIMUM; i++) {
            deny("k" + i);
        }

        assertThat(IntStream.range(0, 10 * MAXIMUM).filter(i -> isDenied("k" + i)))
                .hasSizeBetween(1, MAXIMUM);
    }
}
