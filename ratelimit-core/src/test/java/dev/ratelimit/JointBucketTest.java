package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class JointBucketTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());

    private TokenBucket bucket(Synchronization synchronization, String limit) {
        return bucket(synchronization, limit, clock);
    }

    private static TokenBucket bucket(Synchronization synchronization, String limit, NanoClock clock) {
        return TokenBucket.builder()
                .limits(Limit.parse(limit))
                .synchronization(synchronization)
                .clock(clock)
                .build();
    }

    @ParameterizedTest
    @EnumSource
    void consumesFromAllOrFromNone(Synchronization synchronization) {
        TokenBucket small = bucket(synchronization, "2/1m");
        TokenBucket large = bucket(synchronization, "5/1h");
        TokenBucket both = TokenBucket.allOf(large, small);

        assertThat(both.tryConsume(2))
                .isEqualTo(new Decision(true, 0, 0, Duration.ofMinutes(24).toNanos(), Limit.parse("2/1m")));
        Decision denied = new Decision(
                false,
                0,
                Duration.ofSeconds(30).toNanos(),
                Duration.ofMinutes(24).toNanos(),
                Limit.parse("2/1m"));
        for (int i = 0; i < 3; i++) {
            assertThat(both.peek(1)).isEqualTo(denied);
            assertThat(both.tryConsume(1)).isEqualTo(denied);
        }
        assertThat(large.peek(3).allowed()).isTrue();
        assertThat(both.tryConsume(3).never()).isTrue();

        both.refund(2);
        assertThat(both.peek(2).remaining()).isZero();
        assertThat(large.peek(5).allowed()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "LOCK") // which nobody comes in between of
    void givesBackWhatItTookWhereAnotherThreadIsQuicker(Synchronization synchronization) {
        TokenBucket first = bucket(synchronization, "5/1h");
        AtomicReference<Runnable> meanwhile = new AtomicReference<>(() -> {});
        TokenBucket second = bucket(synchronization, "2/1m", () -> {
            meanwhile.get().run();
            return clock.nanos();
        });
        TokenBucket both = TokenBucket.allOf(first, second);
        both.peek(1);
        meanwhile.set(() -> {
            if (!first.peek(5).allowed()) {
                meanwhile.set(() -> {});
                second.tryConsume(2);
            }
        });

        assertThat(both.tryConsume(1).allowed()).isFalse();
        assertThat(first.peek(5).allowed()).isTrue();
        assertThat(second.peek(1).allowed()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "LOCK")
    void givesNothingBackThatHasFlowedInAgain(Synchronization synchronization) {
        TokenBucket first = bucket(synchronization, "100000/1s"); // so many that a striped one has cells
        AtomicReference<Runnable> meanwhile = new AtomicReference<>(() -> {});
        TokenBucket second = bucket(synchronization, "100000/1d", () -> {
            meanwhile.get().run();
            return clock.nanos();
        });
        TokenBucket both = TokenBucket.allOf(first, second);
        both.peek(1);
        meanwhile.set(() -> {
            if (!first.peek(1).allowed()) {
                meanwhile.set(() -> {});
                clock.advance(Duration.ofSeconds(1));
                assertThat(first.tryConsume(100_000).allowed()).isTrue();
                second.tryConsume(1);
            }
        });

        assertThat(both.tryConsume(100_000).allowed()).isFalse();
        assertThat(first.peek(1).allowed()).isFalse();
        assertThat(second.peek(99_999).allowed()).isTrue();
    }

    @Test
    void consumesFromAllOrFromNoneWhereOnlyOneHasALock() {
        TokenBucket locked = bucket(Synchronization.LOCK, "5/1h");
        TokenBucket lockless = bucket(Synchronization.CAS, "2/1m");
        TokenBucket both = TokenBucket.allOf(locked, lockless);

        assertThat(both.tryConsume(2).remaining()).isZero();
        assertThat(both.tryConsume(1).allowed()).isFalse();
        assertThat(locked.peek(3).allowed()).isTrue();
    }

    @Test
    void holdsNoLockWhenItIsDone() {
        LockBucket first = (LockBucket) bucket(Synchronization.LOCK, "5/1h");
        LockBucket second = (LockBucket) bucket(Synchronization.LOCK, "2/1m");
        TokenBucket both = TokenBucket.allOf(first, second);
        both.tryConsume(2);
        both.tryConsume(2);
        both.peek(1);
        both.refund(1);

        assertThat(both.peek(1).allowed()).isTrue();
        assertThat(first.lock.isLocked()).isFalse();
        assertThat(second.lock.isLocked()).isFalse();
        assertThat(both).hasToString("TokenBucket.allOf" + List.of(first, second));
    }

    @ParameterizedTest
    @EnumSource
    void chargesABucketAsOftenAsItIsAPart(Synchronization synchronization) {
        TokenBucket user = bucket(synchronization, "10/1m");
        TokenBucket tenant = bucket(synchronization, "100/1m");
        TokenBucket nested = TokenBucket.allOf(TokenBucket.allOf(user, tenant), TokenBucket.allOf(tenant, user), user);

        assertThat(nested.tryConsume(3).remaining()).isZero();
        assertThat(user.peek(1).remaining()).isZero();
        assertThat(user.peek(2).allowed()).isFalse();
        assertThat(tenant.peek(94).remaining()).isZero();
        assertThat(nested.tryConsume(1).allowed()).isFalse();
        assertThat(nested.tryConsume(Long.MAX_VALUE / 2).never()).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void waitsForTheSlowestPart(Synchronization synchronization) throws InterruptedException {
        TokenBucket both = TokenBucket.allOf(bucket(synchronization, "2/1m"), bucket(synchronization, "1/1h burst 2"));
        both.tryConsume(2);
        long start = clock.nanos();

        assertThat(both.consume(1, Duration.ofMinutes(59)).allowed()).isFalse();
        assertThat(both.consume(1, Duration.ofMinutes(60)).allowed()).isTrue();
        assertThat(clock.nanos() - start).isEqualTo(Duration.ofHours(1).toNanos());
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL")
    void neverExceedsAnyPartWhateverTheOrderInWhichThreadsNameThem(Synchronization synchronization) throws Exception {
        List<TokenBucket> parts = List.of(
                bucket(synchronization, "3000/1d"),
                bucket(synchronization, "2000/1d"),
                bucket(synchronization, "5000/1d"));
        AtomicInteger charged = new AtomicInteger();

        Race.of(16, thread -> {
            List<TokenBucket> order = new ArrayList<>(parts);
            Collections.shuffle(order, new Random(thread));
            TokenBucket mine = TokenBucket.allOf(TokenBucket.allOf(order.get(0), order.get(1)), order.get(2));
            for (int i = 0; i < 1_000; i++) {
                charged.addAndGet(mine.tryConsume(1).allowed() ? 1 : 0);
            }
        });

        assertThat(charged).hasValue(2_000);
        assertThat(IntStream.range(0, 3)
                        .mapToLong(i -> parts.get(i).peek(10_000).remaining()))
                .containsExactly(1_000L, 0L, 3_000L);
    }

    /** Though an interrupt is pending from the start, it waits for as long as it says, which is a second of real time. */
    @Test
    void saysWhichLockItDidNotGetAndChargesNothing() throws Exception {
        LockBucket free = (LockBucket) bucket(Synchronization.LOCK, "5/1m");
        LockBucket stuck = (LockBucket) bucket(Synchronization.LOCK, "7/1m"); // later, so it is locked after the other
        TokenBucket both = TokenBucket.allOf(stuck, free);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        AtomicBoolean interrupted = new AtomicBoolean();
        long start = System.nanoTime();
        stuck.lock.lock();
        try {
            Thread thread = new Thread(() -> {
                Thread.currentThread().interrupt();
                thrown.set(catchThrowable(() -> both.tryConsume(1)));
                interrupted.set(Thread.interrupted());
            });
            thread.start();
            thread.join();
        } finally {
            stuck.lock.unlock();
        }

        assertThat(thrown.get())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageMatching("no lock within a second on bucket \\d+ \\(7/1m\\), the 2\\. of 2 to be locked "
                        + "together; nothing was charged");
        assertThat(System.nanoTime() - start)
                .isGreaterThanOrEqualTo(Duration.ofSeconds(1).toNanos());
        assertThat(interrupted).isTrue();
        assertThat(free.lock.isLocked()).isFalse();
        assertThat(both.tryConsume(5).allowed()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void holdsUpNobodyElseWhileItWaitsToGiveBack(boolean refunds) throws Exception {
        LockBucket free = (LockBucket) bucket(Synchronization.LOCK, "5/1m");
        LockBucket stuck = (LockBucket) bucket(Synchronization.LOCK, "7/1m");
        TokenBucket both = TokenBucket.allOf(stuck, free);
        Charges charges = new Charges();
        assertThat(both.reserve(5, 0, charges).allowed()).isTrue();
        Thread thread = new Thread(() -> {
            if (refunds) {
                both.refund(5);
            } else {
                both.undo(charges);
            }
        });
        stuck.lock.lock();
        try {
            Race.startAndLetRun(thread);

            assertThat(thread.isAlive()).isTrue();
            assertThat(free.lock.isLocked()).isFalse();
        } finally {
            stuck.lock.unlock();
        }
        thread.join();
        assertThat(free.peek(5).allowed()).isTrue();
        assertThat(stuck.peek(7).allowed()).isTrue();
    }

    @Test
    void needsAtLeastOneBucket() {
        assertThatIllegalArgumentException()
                .isThrownBy(TokenBucket::allOf)
                .withMessage("allOf needs at least one bucket");
    }
}
