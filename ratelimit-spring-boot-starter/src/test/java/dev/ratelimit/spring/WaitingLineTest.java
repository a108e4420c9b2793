package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.ManualClock;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.TokenBucket;
import dev.ratelimit.spring.WaitingLine.Place;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WaitingLineTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final RateLimiter limiter = LocalRateLimiter.builder().clock(clock).build();
    private final WaitingLine line = line(limiter, clock);
    private final Policy slow = Policy.of("slow", Limit.parse("1/10s"));
    private final Policy quick = Policy.of("quick", Limit.parse("5/5s"));

    private static WaitingLine line(RateLimiter limiter, NanoClock clock) {
        ConfiguredPolicies none = new ConfiguredPolicies(List.of());
        return new WaitingLine(new PolicyLimiter(limiter, none, new RateLimitCounts(none)), clock);
    }

    private Place take(long maxWaitNanos, Claim... claims) {
        return Objects.requireNonNull(line.take(List.of(claims), maxWaitNanos));
    }

    private static Claim claim(Policy policy, long tokens) {
        return new Claim(policy, "key", tokens);
    }

    /** A bucket by itself knows exactly how long a wait is, under any limits; so does a line before a limiter. */
    @Test
    void agreesWithABucketOnEveryWait() {
        Random random = new Random(ThreadLocalRandom.current().nextLong());
        for (int round = 0; round < 300; round++) {
            Limit[] limits = IntStream.rangeClosed(0, random.nextInt(3))
                    .mapToObj(i -> new Limit(
                            1 + random.nextInt(20),
                            1 + random.nextInt(20),
                            Duration.ofNanos(20 + random.nextInt(9_999))))
                    .toArray(Limit[]::new);
            compare(limits, random, round);
        }
    }

    private void compare(Limit[] limits, Random random, int round) {
        Policy policy = Policy.of("p" + round, limits);
        List<Long> slept = new ArrayList<>();
        TokenBucket bucket = TokenBucket.builder()
                .limits(limits)
                .clock(new NanoClock() {
                    @Override
                    public long nanos() {
                        return clock.nanos();
                    }

                    @Override
                    public void sleep(long nanos) {
                        slept.add(nanos);
                    }
                })
                .build();
        for (int i = 0; i < 30; i++) {
            long tokens = 1L + random.nextInt(20);
            long maxWaitNanos = random.nextInt(20_000);
            slept.clear();
            Place place = line.take(List.of(new Claim(policy, "key", tokens)), maxWaitNanos);
            Decision expected;
            try {
                expected = bucket.consume(tokens, Duration.ofNanos(maxWaitNanos));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            String what = policy + " for " + tokens + " tokens in " + maxWaitNanos + " ns";
            assertThat(place != null).as(what).isEqualTo(expected.allowed());
            assertThat(limiter.peek(policy, "key", 1)).as(what).isEqualTo(bucket.peek(1));
            if (place != null) {
                assertThat(line.waitNanos(place)).as(what).isEqualTo(slept.isEmpty() ? 0 : slept.get(0));
                assertThat(place.decisions().get(0).remaining()).as(what).isEqualTo(expected.remaining());
                assertThat(place.decisions().get(0).resetAfterNanos()).as(what).isEqualTo(expected.resetAfterNanos());
            }
            clock.advance(Duration.ofNanos(random.nextInt(2_000)));
        }
    }

    @Test
    void takesAPlaceInEachLineOrInNone() {
        assertThat(line.waitNanos(take(0, claim(quick, 3), claim(slow, 1)))).isZero();
        assertThat(line.waitNanos(take(10 * SECOND, claim(quick, 3), claim(slow, 1))))
                .isEqualTo(10 * SECOND);
        assertThat(limiter.peek(quick, "key", 1).retryAfterNanos()).isEqualTo(2 * SECOND);

        assertThat(line.take(List.of(claim(quick, 1), claim(slow, 1)), 15 * SECOND))
                .isNull();
        assertThat(limiter.peek(quick, "key", 1).retryAfterNanos()).isEqualTo(2 * SECOND);
        assertThat(limiter.peek(slow, "key", 1).retryAfterNanos()).isEqualTo(20 * SECOND);
    }

    @Test
    void givesBackAPlaceAndWhatIsLeftOfTheOthers() {
        take(0, claim(slow, 1));
        Place place = take(10 * SECOND, claim(quick, 5), claim(slow, 1));
        clock.advance(Duration.ofSeconds(2));
        line.giveBack(place);
        assertThat(limiter.peek(quick, "key", 5).allowed()).isTrue();

        Place alone = take(60 * SECOND, claim(slow, 1));
        clock.advance(Duration.ofSeconds(2));
        long wait = limiter.peek(slow, "key", 1).retryAfterNanos();
        line.giveBack(alone);
        assertThat(limiter.peek(slow, "key", 1).retryAfterNanos()).isEqualTo(wait - 10 * SECOND);
    }

    @Test
    void givesNothingBackThatHasFlowedInAgain() {
        take(0, claim(slow, 1));
        Place place = take(10 * SECOND, claim(quick, 5), claim(slow, 1));
        clock.advance(Duration.ofSeconds(5));
        limiter.tryConsume(quick, "key", 5);
        line.giveBack(place);
        assertThat(limiter.peek(quick, "key", 1).allowed()).isFalse();
    }

    /** Whoever goes on, goes on alone: no two of them have got the same place. */
    @Test
    void givesNoPlaceTwice() throws Exception {
        RateLimiter shared = LocalRateLimiter.builder().clock(() -> 0).build();
        WaitingLine still = line(shared, () -> 0);
        Policy policy = Policy.of("one", Limit.parse("1/1s"));
        int threads = 8;
        int each = 250;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            CountDownLatch start = new CountDownLatch(threads);
            List<Future<List<Long>>> taken = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                taken.add(pool.submit(() -> {
                    start.countDown();
                    start.await();
                    List<Long> places = new ArrayList<>();
                    for (int j = 0; j < each; j++) {
                        Place place = still.take(List.of(new Claim(policy, "key", 1)), Long.MAX_VALUE);
                        places.add(place == null ? -1 : still.waitNanos(place));
                        shared.tryConsume(policy, "key", 1); // who does not wait gets nothing
                    }
                    return places;
                }));
            }
            List<Long> all = new ArrayList<>();
            for (Future<List<Long>> places : taken) {
                all.addAll(places.get());
            }
            Collections.sort(all);
            assertThat(all)
                    .isEqualTo(IntStream.range(0, threads * each)
                            .mapToObj(i -> SECOND * i)
                            .toList());
        } finally {
            pool.shutdownNow();
        }
    }
}
