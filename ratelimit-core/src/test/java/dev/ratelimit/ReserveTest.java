package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a limiter promises to callers who wait. */
@ParameterizedClass
@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL") // no limiter has it
class ReserveTest {
    private static final Duration FOR_EVER = Duration.ofSeconds(Long.MAX_VALUE);

    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final RateLimiter limiter;
    private final Policy quick = Policy.of("quick", Limit.parse("5/5s"));
    private final Policy slow = Policy.of("slow", Limit.parse("1/10s"), Limit.parse("100/1h"));

    ReserveTest(Synchronization synchronization) {
        limiter = LocalRateLimiter.builder()
                .synchronization(synchronization)
                .clock(clock)
                .build();
    }

    private List<Decision> reserve(Duration maxWait, Claim... claims) {
        return reservation(maxWait, claims).decisions();
    }

    private Reservation reservation(Duration maxWait, Claim... claims) {
        return limiter.reserve(List.of(claims), maxWait);
    }

    private static Claim claim(Policy policy, long tokens) {
        return new Claim(policy, "key", tokens);
    }

    private Duration wait(Policy policy) {
        return Duration.ofNanos(limiter.peek(policy, "key", 1).retryAfterNanos());
    }

    @Test
    void takesTokensAtOnceThatAreThereInTime() {
        limiter.tryConsume(quick, "key", 4);

        Decision decision = reserve(Duration.ofSeconds(2), claim(quick, 3)).get(0);

        assertThat(decision.allowed()).isTrue();
        assertThat(decision.retryAfterNanos()).isEqualTo(Duration.ofSeconds(2).toNanos());
        assertThat(decision.remaining()).isZero();
        assertThat(decision.resetAfterNanos()).isEqualTo(Duration.ofSeconds(7).toNanos());
        assertThat(wait(quick)).hasSeconds(3);
    }

    @Test
    void takesNothingThatComesLate() {
        limiter.tryConsume(quick, "key", 4);
        Duration tooShort = Duration.ofSeconds(2).minusNanos(1);
        Decision denial = limiter.peek(quick, "key", 3);

        assertThat(reserve(tooShort, claim(quick, 3))).containsExactly(denial);
        assertThat(limiter.peek(quick, "key", 3)).isEqualTo(denial);
    }

    @Test
    void takesAllOfAListOrNone() {
        assertThat(reserve(Duration.ZERO, claim(quick, 3), claim(slow, 1)))
                .extracting(Decision::retryAfterNanos)
                .containsExactly(0L, 0L);
        assertThat(reserve(Duration.ofSeconds(10), claim(quick, 3), claim(slow, 1)))
                .extracting(Decision::retryAfterNanos)
                .containsExactly(
                        Duration.ofSeconds(1).toNanos(), Duration.ofSeconds(10).toNanos());

        List<Decision> denied = reserve(Duration.ofSeconds(15), claim(quick, 1), claim(slow, 1));

        assertThat(denied).extracting(Decision::allowed).containsExactly(true, false);
        assertThat(wait(quick)).hasSeconds(2);
        assertThat(wait(slow)).hasSeconds(20);
    }

    @Test
    void addsUpClaimsOnOneBucket() {
        assertThat(reserve(Duration.ofSeconds(1), claim(quick, 3), claim(quick, 3)))
                .extracting(Decision::allowed)
                .containsExactly(false, false);
        assertThat(reserve(Duration.ofSeconds(1), claim(quick, 3), claim(quick, 2)))
                .extracting(Decision::allowed)
                .containsExactly(true, true);
        assertThat(wait(quick)).hasSeconds(1);
    }

    @Test
    void waitsForAsLongAsItTakesIfItMay() {
        for (int i = 0; i < 100; i++) {
            assertThat(reserve(FOR_EVER, claim(slow, 1)).get(0).retryAfterNanos())
                    .isEqualTo(Duration.ofSeconds(10).multipliedBy(i).toNanos());
        }
        assertThat(reserve(FOR_EVER, claim(slow, 2)).get(0).never()).isTrue();
        assertThat(reserve(FOR_EVER, claim(slow, 2), claim(quick, 1)))
                .extracting(Decision::allowed)
                .containsExactly(false, true);
    }

    @Test
    void consumesWhatIsThereIfItMayNotWait() {
        for (Duration none : List.of(Duration.ZERO, Duration.ofNanos(-1), FOR_EVER.negated())) {
            limiter.reset(quick, "key");
            assertThat(reserve(none, claim(quick, 5)).get(0).allowed()).isTrue();
            assertThat(reserve(none, claim(quick, 1)).get(0).allowed()).isFalse();
            assertThat(wait(quick)).hasSeconds(1);
        }
    }

    @Test
    void givesBackAPlaceAndWhatIsLeftOfTheOthers() {
        reserve(Duration.ZERO, claim(slow, 1));
        Reservation both = reservation(Duration.ofSeconds(10), claim(quick, 5), claim(slow, 1));
        assertThat(both.allowed()).isTrue();
        assertThat(both.waitNanos()).isEqualTo(Duration.ofSeconds(10).toNanos());
        clock.advance(Duration.ofSeconds(2));
        assertThat(wait(slow)).hasSeconds(18);

        both.undo();

        assertThat(wait(slow)).hasSeconds(8);
        assertThat(limiter.peek(quick, "key", 5).allowed()).isTrue();
        assertThat(limiter.peek(slow, "key", 1).resetAfterNanos())
                .isEqualTo(Duration.ofSeconds(34).toNanos());
    }

    @Test
    void givesNothingBackThatHasFlowedInAgain() {
        Reservation first = reservation(Duration.ZERO, claim(quick, 5));
        clock.advance(Duration.ofSeconds(3));
        limiter.tryConsume(quick, "key", 3);

        first.undo();

        assertThat(limiter.peek(quick, "key", 5).retryAfterNanos()) // which is what it owes
                .isEqualTo(Duration.ofSeconds(3).toNanos());
    }

    /** Whoever stood in front of it and left has moved it forward, and so it has been paid for earlier. */
    @Test
    void givesBackNoMoreThanIsLeftOfAPlaceThatMovedForward() {
        givesBackNoMoreThanIsLeft(Reservation::undo);
        givesBackNoMoreThanIsLeft(unused -> limiter.refund(quick, "key", 5));
    }

    private void givesBackNoMoreThanIsLeft(Consumer<Reservation> leave) {
        limiter.reset(quick, "key");
        reserve(Duration.ZERO, claim(quick, 5));
        Reservation front = reservation(FOR_EVER, claim(quick, 5));
        Reservation back = reservation(FOR_EVER, claim(quick, 5));
        leave.accept(front);
        clock.advance(Duration.ofSeconds(7));
        limiter.tryConsume(quick, "key", 2);
        clock.advance(Duration.ofSeconds(1));

        back.undo();

        assertThat(limiter.peek(quick, "key", 5).retryAfterNanos())
                .isEqualTo(Duration.ofSeconds(2).toNanos());
    }

    /** Or whoever consumed since would have got the same tokens. */
    @Test
    void givesNothingBackThatAResetHasGivenBack() {
        for (Limit limit : List.of(Limit.parse("5/5s"), Limit.parse("1000000/5s"))) { // which has room for stripes
            Policy policy = Policy.of("p" + limit.capacity(), limit, limit.withCapacity(2 * limit.capacity()));
            Reservation forgotten = reservation(Duration.ZERO, claim(policy, limit.capacity()));
            limiter.reset(policy, "key");
            Reservation known = reservation(Duration.ZERO, claim(policy, limit.capacity()));

            forgotten.undo();
            assertThat(limiter.peek(policy, "key", 1).remaining()).isZero();

            known.undo();
            assertThat(limiter.peek(policy, "key", limit.capacity()).allowed()).isTrue();
        }
    }

    @Test
    void undoesWhatWasAllowedAndOnlyOnce() {
        limiter.tryConsume(slow, "key", 1);
        limiter.tryConsume(quick, "key", 2);
        Reservation denied = reservation(Duration.ZERO, claim(quick, 1), claim(slow, 1));
        assertThat(denied.allowed()).isFalse();
        denied.undo();
        assertThat(limiter.peek(quick, "key", 1).remaining()).isEqualTo(2);

        Reservation allowed = reservation(Duration.ZERO, claim(quick, 1));
        allowed.undo();
        allowed.undo();
        assertThat(limiter.peek(quick, "key", 1).remaining()).isEqualTo(2);
        assertThat(reservation(Duration.ZERO).allowed()).isTrue();
    }

    /** A bucket by itself knows exactly how long a wait is, under any limits; so does a limiter. */
    @Test
    void agreesWithABucketOnEveryWait() throws InterruptedException {
        Random random = new Random(ThreadLocalRandom.current().nextLong());
        for (int round = 0; round < 300; round++) {
            Limit[] limits = IntStream.rangeClosed(0, random.nextInt(3))
                    .mapToObj(i -> new Limit(
                            1 + random.nextInt(20),
                            1 + random.nextInt(20),
                            Duration.ofNanos(20 + random.nextInt(9_999))))
                    .toArray(Limit[]::new);
            compare(Policy.of("p" + round, limits), random);
        }
    }

    private void compare(Policy policy, Random random) throws InterruptedException {
        AtomicLong slept = new AtomicLong();
        TokenBucket bucket = TokenBucket.builder()
                .limits(policy.limits().toArray(Limit[]::new))
                .clock(new NanoClock() {
                    @Override
                    public long nanos() {
                        return clock.nanos();
                    }

                    @Override
                    public void sleep(long nanos) {
                        slept.set(nanos);
                    }
                })
                .build();
        for (int i = 0; i < 30; i++) {
            Claim claim = claim(policy, 1L + random.nextInt(20));
            Duration maxWait = Duration.ofNanos(random.nextInt(20_000));
            slept.set(0);
            Reservation reserved = reservation(maxWait, claim);
            Decision expected = bucket.consume(claim.tokens(), maxWait);
            String what = claim + " in " + maxWait;
            assertThat(reserved.allowed()).as(what).isEqualTo(expected.allowed());
            assertThat(limiter.peek(policy, "key", 1)).as(what).isEqualTo(bucket.peek(1));
            if (reserved.allowed()) {
                Decision decision = reserved.decisions().get(0);
                assertThat(reserved.waitNanos()).as(what).isEqualTo(slept.get());
                assertThat(decision.remaining()).as(what).isEqualTo(expected.remaining());
                assertThat(decision.resetAfterNanos()).as(what).isEqualTo(expected.resetAfterNanos());
            }
            clock.advance(Duration.ofNanos(random.nextInt(2_000)));
        }
    }

    /** Whoever goes on, goes on alone: no two of them have got the same place. */
    @Test
    void givesNoPlaceTwice() throws Exception {
        int threads = 8;
        int each = 250;
        Policy policy = Policy.of("one", Limit.parse("1/1s"));
        ConcurrentLinkedQueue<Long> places = new ConcurrentLinkedQueue<>();
        Race.of(threads, thread -> {
            for (int i = 0; i < each; i++) {
                places.add(reservation(FOR_EVER, claim(policy, 1)).waitNanos());
                limiter.tryConsume(policy, "key", 1); // who does not wait gets nothing
            }
        });

        assertThat(places.stream().sorted().toList())
                .isEqualTo(LongStream.range(0, (long) threads * each)
                        .mapToObj(i -> Duration.ofSeconds(i).toNanos())
                        .toList());
    }
}
