package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StripedBucketTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());

    private GuardedBucket striped(int cells, long tokens, String... limits) {
        Terms terms = new Terms(Stream.of(limits).map(Limit::parse).toList(), clock);
        return StripedBucket.of(terms, terms.stateOf(tokens), cells);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 16})
    void admitsExactlyTheCapacityAndAllOfItInWhateverAmounts(int cells) {
        Random random = new Random(cells);
        for (String limit : new String[] {"100003/1d", "65536/1h"}) {
            GuardedBucket bucket = striped(cells, Long.MAX_VALUE, limit);
            long left = Limit.parse(limit).capacity();
            while (left > 0) {
                long tokens = 1 + random.nextLong(Math.min(left, 30_000));
                assertThat(bucket.tryConsume(tokens).allowed()).isTrue();
                left -= tokens;
            }
            assertThat(bucket.tryConsume(1).allowed()).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 16})
    void gathersARequestLargerThanACellOrGivesItBackWhole(int cells) {
        GuardedBucket bucket = striped(cells, Long.MAX_VALUE, "100000/1d");

        assertThat(bucket.tryConsume(99_999).remaining()).isEqualTo(1);
        for (int i = 0; i < 5; i++) {
            assertThat(bucket.tryConsume(2).allowed()).isFalse();
        }
        assertThat(bucket.tryConsume(1).allowed()).isTrue();
        bucket.refund(60_000);
        assertThat(bucket.tryConsume(60_001).remaining()).isEqualTo(60_000);
        assertThat(bucket.tryConsume(60_000).remaining()).isZero();
        assertThat(bucket.tryConsume(100_001).never()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 16})
    void tellsExactlyWhenItsCellsTogetherHoldEnough(int cells) {
        Random random = new Random(cells);
        GuardedBucket bucket = striped(cells, 0, "100003/1h", "990007/1d");
        for (int i = 0; i < 300; i++) {
            long nextToken = bucket.peek(Long.MAX_VALUE).remaining() + 1;
            long tokens = random.nextBoolean() ? nextToken : 1L + random.nextInt(60_000);
            Decision peeked = bucket.peek(tokens);
            Decision decision = bucket.tryConsume(tokens);
            assertThat(decision).isEqualTo(peeked);
            if (!decision.allowed()) {
                clock.advance(Duration.ofNanos(decision.retryAfterNanos() - 1));
                assertThat(bucket.tryConsume(tokens).allowed()).isFalse();
                clock.advance(Duration.ofNanos(1));
                assertThat(bucket.tryConsume(tokens).allowed()).isTrue();
            }
            clock.advance(Duration.ofMillis(random.nextInt(1_000)));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 16})
    void neverAdmitsWhatTheModelDenies(int cells) {
        SplittableRandom seeds = new SplittableRandom(cells);
        for (int i = 0; i < 1_000; i++) {
            RandomSequence sequence = new RandomSequence(
                    seeds.nextLong(),
                    clock,
                    RandomLimits::large,
                    limits -> striped(
                            cells,
                            Long.MAX_VALUE,
                            limits.stream().map(Limit::toString).toArray(String[]::new)));
            ExactModel model = new ExactModel(sequence.limits);
            for (int step = 0; step < 40; step++) {
                sequence.advance(sequence.step(), model);
                long tokens = sequence.tokens();
                if (sequence.isOneIn(6)) {
                    sequence.refund(tokens, model);
                }
                Decision most = model.peek(tokens);
                Decision decision = sequence.tryConsume(tokens);
                assertThat(decision.retryAfterNanos()).as(sequence).isGreaterThanOrEqualTo(most.retryAfterNanos());
                if (decision.allowed()) {
                    assertThat(most.allowed()).as(sequence).isTrue();
                    model.take(tokens);
                }
            }
        }
    }

    @Test
    void neverAdmitsMoreThanTheLimitOverTime() {
        Random random = new Random(3);
        GuardedBucket bucket = striped(4, Long.MAX_VALUE, "10007/1s burst 50000");
        long start = clock.nanos();
        long admitted = 0;
        for (int i = 0; i < 50_000; i++) {
            long tokens = 1L + random.nextInt(100);
            admitted += bucket.tryConsume(tokens).allowed() ? tokens : 0;
            clock.advance(Duration.ofNanos(random.nextInt(1_000_000)));
            long seconds = clock.nanos() - start;
            assertThat(admitted).isLessThanOrEqualTo(50_000 + seconds * 10_007 / 1_000_000_000);
        }
        assertThat(admitted)
                .as("and serves while it is asked")
                .isGreaterThan(49_000 + (clock.nanos() - start) * 10_007 / 1_010_000_000);
    }

    @Test
    void losesNothingToThreadsThatGatherAndGiveBackAtOneTime() throws Exception {
        GuardedBucket bucket = striped(4, Long.MAX_VALUE, "100000/1d");
        AtomicLong consumed = new AtomicLong();
        Race.of(8, thread -> {
            Random random = new Random(thread);
            for (int i = 0; i < 2_000; i++) {
                long tokens = 1L + random.nextInt(200);
                if (bucket.tryConsume(tokens).allowed()) {
                    consumed.addAndGet(tokens);
                }
            }
        });

        assertThat(consumed.get() + bucket.peek(Long.MAX_VALUE).remaining()).isEqualTo(100_000);
    }

    /** A refund goes to the cells that lack most of it, and so the cell that a charge is from may have no room for it. */
    @ParameterizedTest
    @ValueSource(strings = {"2048/1d", "2048/1d 9999/7d"})
    void losesNothingThatItGivesBackWhereOthersHaveRefunded(String limits) {
        GuardedBucket bucket = striped(2, Long.MAX_VALUE, limits.split(" "));
        Charges charges = new Charges();
        bucket.reserve(1_500, 0, charges);
        bucket.tryConsume(500);
        bucket.refund(500);

        charges.undo();
        assertThat(bucket.tryConsume(2_048).allowed()).isTrue();
        assertThat(bucket.tryConsume(1).allowed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"2048/1d", "2048/1d 9999/7d"})
    void losesNothingToAThreadThatConsumesAndRefundsWhileItGathers(String limits) {
        AtomicReference<@Nullable StripedBucket> full = new AtomicReference<>();
        Terms terms = new Terms(Stream.of(limits.split(" ")).map(Limit::parse).toList(), () -> {
            StripedBucket bucket = full.get();
            if (bucket != null && (isEmpty(bucket.cell(0)) || isEmpty(bucket.cell(1)))) {
                full.set(null);
                bucket.tryConsume(600);
                bucket.refund(600);
            }
            return 0;
        });
        StripedBucket bucket = (StripedBucket) StripedBucket.of(terms, terms.stateOf(Long.MAX_VALUE), 2);
        full.set(bucket);

        assertThat(bucket.tryConsume(1_800).allowed()).isTrue();
        assertThat(full).hasNullValue();
        assertThat(bucket.tryConsume(248).allowed()).isTrue();
        assertThat(bucket.tryConsume(1).allowed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6})
    void losesNothingToAThreadThatGivesBackWhileAnotherRefunds(int readings) throws Exception {
        AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
        Charges charges = new Charges();
        Thread other = new Thread(charges::undo);
        Terms terms = new Terms(List.of(Limit.parse("2048/1d")), () -> {
            if (left.decrementAndGet() == 0) {
                Race.startAndLetRun(other);
            }
            return clock.nanos();
        });
        GuardedBucket bucket = StripedBucket.of(terms, terms.stateOf(Long.MAX_VALUE), 2);
        bucket.reserve(1_500, 0, charges);
        bucket.tryConsume(500);
        left.set(readings);

        bucket.refund(500);
        if (left.getAndSet(Integer.MAX_VALUE) > 0) { // as there were not as many
            other.start();
        }
        other.join();
        assertThat(bucket.tryConsume(2_048).allowed()).isTrue();
        assertThat(bucket.tryConsume(1).allowed()).isFalse();
    }

    private static boolean isEmpty(GuardedBucket cell) {
        return cell.terms.tokens(cell.state(), 0) == 0;
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void endsALineThatNobodyCouldWaitOut() {
        GuardedBucket bucket = striped(4, Long.MAX_VALUE, "999000/1000s");
        int admitted = 0;
        while (bucket.reserve(999_000, Long.MAX_VALUE).allowed()) {
            admitted++;
        }

        assertThat(admitted).isGreaterThan(1_000);
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void findsTheInstantAtWhichItIsFullThoughTheClockRunsOnMeanwhile() {
        AtomicLong running = new AtomicLong();
        Terms terms = new Terms(List.of(Limit.parse("100000/4s")), () -> running.addAndGet(1_000));
        GuardedBucket bucket = StripedBucket.of(terms, terms.stateOf(50_000), 4);
        long before = running.get();
        Decision reserved = bucket.reserve(100_000, Long.MAX_VALUE);

        assertThat(reserved.allowed()).isTrue();
        assertThat(running.get() - before)
                .as("read a few times, and not in a loop")
                .isLessThan(100_000);
    }

    @Test
    void isOneCellWhereTheSharesWouldBeSmall() {
        Terms terms = new Terms(List.of(Limit.parse("2000/1s")), clock);

        assertThat(StripedBucket.of(terms, terms.stateOf(7))).isInstanceOf(CasBucket.class);
    }

    @Test
    void isFullAfterALargeRefundWhateverItOwed() {
        GuardedBucket bucket = striped(4, Long.MAX_VALUE, "100000/1d");
        for (int i = 0; i < 3; i++) {
            assertThat(bucket.reserve(100_000, Long.MAX_VALUE).allowed()).isTrue();
        }

        bucket.refund(Long.MAX_VALUE);
        assertThat(bucket.tryConsume(100_000).allowed()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7})
    void losesNoPartOfAChargeToAThreadThatRetiresIt(int readings) throws Exception {
        assertNothingIsLostToAThreadThatRetires(readings, bucket -> bucket.add(-90_000));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6})
    void losesNoPartOfAGatheredRequestToAThreadThatRetiresIt(int readings) throws Exception {
        assertNothingIsLostToAThreadThatRetires(
                readings, bucket -> bucket.tryConsume(90_000).allowed());
    }

    /** The other thread comes when the clock has been read so many times, and waits if it has to. */
    private void assertNothingIsLostToAThreadThatRetires(int readings, Predicate<GuardedBucket> charge)
            throws Exception {
        AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
        AtomicReference<Runnable> meanwhile = new AtomicReference<>();
        Terms terms = new Terms(List.of(Limit.parse("100000/1d")), () -> {
            if (left.decrementAndGet() == 0) {
                meanwhile.get().run();
            }
            return clock.nanos();
        });
        GuardedBucket bucket = StripedBucket.of(terms, terms.stateOf(100_000), 4);
        AtomicReference<long[]> last = new AtomicReference<>();
        Thread other = new Thread(() -> last.set(bucket.retire()));
        meanwhile.set(() -> Race.startAndLetRun(other));
        left.set(readings);

        boolean charged = charge.test(bucket);
        other.join();
        assertThat(terms.tokens(last.get(), clock.nanos())).isEqualTo(charged ? 10_000 : 100_000);
    }

    @Test
    void leavesItsDebtWhenItIsRetired() {
        GuardedBucket bucket = striped(4, 70_000, "100000/1d");
        GuardedBucket successor = StripedBucket.of(bucket.terms, bucket.retire(), 4);

        assertThat(bucket.isRetired()).isTrue();
        assertThat(bucket.tryConsume(1).allowed()).isFalse();
        assertThat(bucket.add(1)).isFalse();
        assertThat(successor.tryConsume(70_000).allowed()).isTrue();
        assertThat(successor.tryConsume(1).allowed()).isFalse();
    }
}
