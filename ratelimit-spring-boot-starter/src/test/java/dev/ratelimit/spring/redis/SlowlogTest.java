package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Claim;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.OnFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** All of Redis waits for a call: so it is short, however many threads ask. */
class SlowlogTest {
    private static final int THREADS = 32;
    private static final int REQUESTS = 100; // of each thread
    private static final int MAX_KEYS = 16;
    private static final String LOGGED = "100000"; // more commands than there are, with those of scripts

    private final List<Policy> policies = Stream.of("api", "login", "search")
            .map(name -> Policy.of(name, Limit.parse("1000000/1d")))
            .toList();

    @Test
    void keepsCallsShortWhenManyAsk() throws Exception {
        try (RedisProcess redis = RedisProcess.start("slowlog-log-slower-than 0", "slowlog-max-len " + LOGGED)) {
            ask(redis);

            List<Integer> keys = new ArrayList<>();
            List<Long> micros = new ArrayList<>();
            for (Object each : (List<?>) redis.call("SLOWLOG", "GET", LOGGED)) {
                List<?> entry = (List<?>) each;
                List<?> command = (List<?>) entry.get(3);
                if (command.get(0).equals("EVALSHA")) {
                    keys.add(Integer.valueOf((String) command.get(2)));
                    micros.add((Long) entry.get(2));
                }
            }

            assertThat(keys.stream().mapToInt(each -> each).sum())
                    .isGreaterThanOrEqualTo(THREADS * REQUESTS * policies.size()); // or the log has not all
            assertThat(keys).allMatch(each -> each < MAX_KEYS + policies.size()); // for no request is divided
            assertThat(keys).anyMatch(each -> each > policies.size());
            Collections.sort(micros);
            System.out.printf(
                    "SLOWLOG      %7d calls: median %d us, p99.9 %d us, longest %d us; %d slower than 200 us%n",
                    micros.size(),
                    micros.get(micros.size() / 2),
                    micros.get((int) (micros.size() * 0.999)),
                    micros.get(micros.size() - 1),
                    micros.stream().filter(each -> each > 200).count());
        }
    }

    private void ask(RedisProcess redis) throws InterruptedException {
        LettuceConnectionFactory connections = new LettuceConnectionFactory("127.0.0.1", redis.port());
        connections.afterPropertiesSet();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try (RedisRateLimiter limiter = RedisRateLimiter.builder(connections)
                .timeout(Duration.ofSeconds(10))
                .onFailure(policy -> OnFailure.DENY)
                .build()) {
            Awaitility.await()
                    .atMost(Duration.ofMinutes(1))
                    .until(() -> limiter.tryConsume(policies.get(0), "any", 1).allowed());
            for (int i = 0; i < THREADS; i++) {
                String key = "k" + i;
                List<Claim> claims = policies.stream()
                        .map(policy -> new Claim(policy, key, 1))
                        .toList();
                threads.execute(() -> {
                    for (int request = 0; request < REQUESTS; request++) {
                        limiter.tryConsume(claims);
                    }
                });
            }
            threads.shutdown();
            assertThat(threads.awaitTermination(5, TimeUnit.MINUTES)).isTrue();
        } finally {
            threads.shutdownNow();
            connections.destroy();
        }
    }
}
