package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CasBucketTest {
    private final ManualClock time = new ManualClock(ThreadLocalRandom.current().nextLong());
    private final AtomicReference<Runnable> meanwhile = new AtomicReference<>(() -> {});
    private final Terms terms = new Terms(List.of(Limit.parse("1000/1s")), () -> {
        long nanos = time.nanos();
        meanwhile.getAndSet(() -> {}).run();
        return nanos;
    });
    private final GuardedBucket bucket = CasBucket.of(terms, terms.stateOf(1_000));

    /** The other thread gives back as much as it takes, and so leaves the same number behind, but later. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void givesBackNothingThatHasGoneAgainThoughItLooksAsBefore(boolean refunds) throws Exception {
        Charges others = take500();
        Charges charges = take500();
        Thread other = new Thread(() -> {
            if (refunds) {
                bucket.refund(500);
            } else {
                bucket.undo(others);
            }
            time.advance(Duration.ofMillis(500));
            bucket.tryConsume(500);
        });
        meanwhile.set(() -> Race.startAndLetRun(other));

        bucket.undo(charges);
        other.join();
        assertThat(bucket.peek(Long.MAX_VALUE).remaining()).isEqualTo(500);
    }

    /** Which lock is taken for a bucket is chance: of twenty, one at least has another than this one, but for once in 64^20. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void holdsUpNoOtherBucketOfItsPolicyWhileItGivesBack(boolean refunds) throws Exception {
        Charges charges = take500();
        List<Thread> others = Stream.generate(() -> CasBucket.of(terms, terms.stateOf(0)))
                .limit(20)
                .map(other -> new Thread(() -> other.refund(500)))
                .toList();
        AtomicLong done = new AtomicLong();
        meanwhile.set(() -> {
            others.forEach(Race::startAndLetRun);
            done.set(others.stream().filter(other -> !other.isAlive()).count());
        });

        if (refunds) {
            bucket.refund(500);
        } else {
            bucket.undo(charges);
        }
        for (Thread other : others) {
            other.join();
        }
        assertThat(done).hasPositiveValue();
    }

    private Charges take500() {
        Charges charges = new Charges();
        assertThat(bucket.reserve(500, 0, charges).allowed()).isTrue();
        return charges;
    }
}
