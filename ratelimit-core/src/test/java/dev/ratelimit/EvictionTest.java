package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Threads that rotate through far more keys than there is room for, while no time passes. */
class EvictionTest {
    private static final int THREADS = 8;
    private static final int TRIES = 20_000;
    private static final int KEYS = 4_096;
    private static final int ROOM = 64;
    private static final Limit LIMIT = Limit.parse("5/1d");

    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL")
    void admitsNoKeyMoreThanItsCapacityHoweverOftenItIsEvicted(Synchronization synchronization) throws Exception {
        Policy policy = Policy.of("api", LIMIT);
        LocalRateLimiter limiter = LocalRateLimiter.builder()
                .maximumKeys(ROOM)
                .synchronization(synchronization)
                .clock(clock)
                .build();

        assertThat(mostOfAnyKey(key -> limiter.tryConsume(policy, key, 1).allowed()))
                .isEqualTo(5);
        assertThat(limiter.keys(policy)).isLessThanOrEqualTo(ROOM);
    }

    @Test
    void theSameKeysOverrunBucketsThatAreForgottenForWantOfRoom() throws Exception {
        Cache<String, TokenBucket> buckets =
                Caffeine.newBuilder().maximumSize(ROOM).executor(Runnable::run).build();

        assertThat(mostOfAnyKey(key -> Objects.requireNonNull(buckets.get(
                                key,
                                unused -> TokenBucket.builder()
                                        .limits(LIMIT)
                                        .clock(clock)
                                        .build()))
                        .tryConsume(1)
                        .allowed()))
                .isGreaterThan(5);
    }

    private static int mostOfAnyKey(Predicate<String> tryConsume) throws Exception {
        AtomicIntegerArray admitted = new AtomicIntegerArray(KEYS);
        Race.of(THREADS, thread -> {
            Random random = new Random(thread);
            for (int i = 0; i < TRIES; i++) {
                int key = random.nextInt(KEYS);
                if (tryConsume.test("client" + key)) {
                    admitted.incrementAndGet(key);
                }
            }
        });
        return IntStream.range(0, KEYS).map(admitted::get).max().orElseThrow();
    }
}
