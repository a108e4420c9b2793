package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.OnFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** Processes that share one bucket take no token more than it has, and none less. */
class ProcessesTest {
    private static final int PROCESSES = Integer.getInteger("redis.processes", 2);
    private static final int THREADS = 8;
    private static final int TRIES = Integer.getInteger("redis.tries", 1_000);
    private static final int CAPACITY = 2_000;
    private static final Limit CONNECTED = Limit.of(1_000_000_000, Duration.ofSeconds(1));

    @Test
    void togetherTakeWhatThereIs() throws Exception {
        try (RedisProcess redis = RedisProcess.start()) {
            List<Process> processes = new ArrayList<>();
            for (int i = 0; i < PROCESSES; i++) {
                processes.add(start(redis.port()));
            }
            long admitted = 0;
            for (Process each : processes) {
                String printed = new String(each.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(each.waitFor()).as(printed).isZero();
                admitted += Long.parseLong(
                        printed.strip().lines().reduce((first, last) -> last).orElseThrow());
            }
            assertThat(admitted).isEqualTo(CAPACITY);
            assertThat(redis.keysWithoutTtl()).isZero();
        }
    }

    private static Process start(int port) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("surefire.real.class.path", System.getProperty("java.class.path")),
                        Tries.class.getName(),
                        Integer.toString(port))
                .redirectErrorStream(true)
                .start();
    }

    /** One of the processes; it prints how many tokens it got. */
    static final class Tries {
        private Tries() {}

        public static void main(String[] arguments) throws Exception {
            LettuceConnectionFactory connections =
                    new LettuceConnectionFactory("127.0.0.1", Integer.parseInt(arguments[0]));
            connections.afterPropertiesSet();
            Policy policy = Policy.of("shared", Limit.of(CAPACITY, Duration.ofDays(1)));
            ExecutorService threads = Executors.newFixedThreadPool(THREADS);
            long admitted = 0;
            try (RedisRateLimiter limiter = RedisRateLimiter.builder(connections)
                    .timeout(Duration.ofSeconds(30))
                    .onFailure(any -> OnFailure.DENY)
                    .build()) {
                while (!limiter.tryConsume(Policy.of("other", CONNECTED), "any", 1)
                        .allowed()) {
                    Thread.onSpinWait();
                }
                List<Future<Long>> counts = new ArrayList<>();
                for (int i = 0; i < THREADS; i++) {
                    counts.add(threads.submit(() -> {
                        long count = 0;
                        for (int tries = 0; tries < TRIES; tries++) {
                            count += limiter.tryConsume(policy, "one", 1).allowed() ? 1 : 0;
                        }
                        return count;
                    }));
                }
                for (Future<Long> count : counts) {
                    admitted += count.get();
                }
            } finally {
                threads.shutdown();
                connections.destroy();
            }
            System.out.println(admitted);
        }
    }
}
