package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@SuppressWarnings("ThreadPriorityCheck") // yields to make the race likely, and asserts nothing that depends on it
class TokenBucketRaceTest {
    private static final int THREADS = 100;
    private static final int TRIES = 10_000;
    private static final long CAPACITY = 12_345;

    private static final long NOW = ThreadLocalRandom.current().nextLong();

    private static int readings; // without a guard: how many it is does not matter

    /**
     * A frozen clock that now and then lets another thread in. The bucket without a guard reads it between its look and its
     * write, to show what can happen there; the others read it before they look, and are raced for as threads happen to meet.
     */
    private static final NanoClock FROZEN = () -> {
        if (++readings % 64 == 0) {
            Thread.yield();
        }
        return NOW;
    };

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL")
    void admitsExactlyTheCapacityToAHundredThreads(Synchronization synchronization) throws Exception {
        TokenBucket bucket = TokenBucket.builder()
                .limits(Limit.parse(CAPACITY + "/1d"))
                .synchronization(synchronization)
                .clock(FROZEN)
                .build();

        assertThat(admitted(() -> bucket.tryConsume(1).allowed())).isEqualTo(CAPACITY);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL")
    void admitsExactlyTheSmallestOfSeveralCapacitiesToAHundredThreads(Synchronization synchronization)
            throws Exception {
        TokenBucket bucket = TokenBucket.builder()
                .limits(Limit.parse("1000000/1h"), Limit.parse(CAPACITY + "/1d"), Limit.parse("997000/30d"))
                .synchronization(synchronization)
                .clock(FROZEN)
                .build();

        assertThat(admitted(() -> bucket.tryConsume(1).allowed())).isEqualTo(CAPACITY);
    }

    @Test
    void theSameRaceOverrunsABucketWithoutAGuard() throws Exception {
        NaiveBucket bucket = new NaiveBucket(CAPACITY, FROZEN);

        assertThat(admitted(bucket::tryConsume)).isGreaterThan(CAPACITY);
    }

    private static long admitted(BooleanSupplier tryConsume) throws Exception {
        AtomicLong admitted = new AtomicLong();
        Race.of(THREADS, thread -> {
            for (int i = 0; i < TRIES; i++) {
                if (tryConsume.getAsBoolean()) {
                    admitted.incrementAndGet();
                }
            }
        });
        return admitted.get();
    }

    /** What a token bucket looks like before anyone thinks of threads: it looks, and then it writes. */
    private static final class NaiveBucket {
        private final NanoClock clock;
        private long tokens;

        NaiveBucket(long tokens, NanoClock clock) {
            this.tokens = tokens;
            this.clock = clock;
        }

        boolean tryConsume() {
            long before = tokens;
            clock.nanos(); // where a refill would be worked out
            if (before < 1) {
                return false;
            }
            tokens = before - 1;
            return true;
        }
    }
}
