package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Threads that rotate through far more keys than there is room for, while no time passes. */
class EvictionTest {
    private static final int THREADS = 8;
    private static final int ROOM = 64;
    private static final Limit LIMIT = Limit.parse("5/1d");

    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL")
    void admitsNoKeyMoreThanItsCapacityHoweverOftenItIsEvicted(Synchronization synchronization) throws Exception {
        Policy policy = Policy.of("api", LIMIT);
        LocalRateLimiter limiter = limiter(ROOM, synchronization, clock);

        assertThat(mostOfAnyKey(4_096, key -> limiter.tryConsume(policy, key, 1).allowed()))
                .isEqualTo(5);
        assertThat(limiter.keys(policy)).isLessThanOrEqualTo(ROOM);
    }

    /** A fifth of a bucket that has cells, on whatever machine, is mostly more than one holds, and gathered from several. */
    @Test
    void admitsNoKeyMoreThanItsCapacityWhoseCellsAreEvicted() throws Exception {
        Policy policy = Policy.of("api", Limit.parse("5000000/5000s"));
        LocalRateLimiter limiter = limiter(ROOM, Synchronization.STRIPED, clock);

        assertThat(mostOfAnyKey(
                        256, key -> limiter.tryConsume(policy, key, 1_000_000).allowed()))
                .isEqualTo(5);
    }

    private static LocalRateLimiter limiter(long maximumKeys, Synchronization synchronization, NanoClock clock) {
        return LocalRateLimiter.builder()
                .maximumKeys(maximumKeys)
                .synchronization(synchronization)
                .clock(clock)
                .build();
    }

    /** A debt noted only after its bucket is gone would be unknown in between, where the clock is read. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL")
    void admitsNoKeyWhileItIsBeingEvicted(Synchronization synchronization) {
        Policy policy = Policy.of("api", Limit.parse("1/1d"));
        AtomicReference<Runnable> meanwhile = new AtomicReference<>(() -> {});
        LocalRateLimiter limiter = limiter(1, synchronization, () -> {
            meanwhile.getAndSet(() -> {}).run();
            return clock.nanos();
        });
        limiter.tryConsume(policy, "evicted", 1);
        List<Boolean> admitted = new ArrayList<>();
        meanwhile.set(new Runnable() {
            @Override
            public void run() {
                admitted.add(limiter.tryConsume(policy, "evicted", 1).allowed());
                if (admitted.size() < 10) { // or one that is made anew each time would be evicted for ever
                    meanwhile.set(this);
                }
            }
        });

        limiter.tryConsume(policy, "other", 1);

        assertThat(limiter.stats(policy).evictionsInDebt()).isPositive();
        assertThat(admitted).isNotEmpty().containsOnly(false);
    }

    @Test
    void theSameKeysOverrunBucketsThatAreForgottenForWantOfRoom() throws Exception {
        Cache<String, TokenBucket> buckets =
                Caffeine.newBuilder().maximumSize(ROOM).executor(Runnable::run).build();

        assertThat(mostOfAnyKey(
                        4_096,
                        key -> Objects.requireNonNull(buckets.get(
                                        key,
                                        unused -> TokenBucket.builder()
                                                .limits(LIMIT)
                                                .clock(clock)
                                                .build()))
                                .tryConsume(1)
                                .allowed()))
                .isGreaterThan(5);
    }

    /** Has the threads try forty times for each of {@code keys}, and returns how often at the most one was admitted. */
    private static int mostOfAnyKey(int keys, Predicate<String> tryConsume) throws Exception {
        AtomicIntegerArray admitted = new AtomicIntegerArray(keys);
        Race.of(THREADS, thread -> {
            Random random = new Random(thread);
            for (int i = 0; i < 40 * keys / THREADS; i++) {
                int key = random.nextInt(keys);
                if (tryConsume.test("client" + key)) {
                    admitted.incrementAndGet(key);
                }
            }
        });
        return IntStream.range(0, keys).map(admitted::get).max().orElseThrow();
    }
}
