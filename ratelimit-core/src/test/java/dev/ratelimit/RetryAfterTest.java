package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whoever waits for as long as a denial says is admitted, and whoever comes back a nanosecond sooner is not. */
class RetryAfterTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());

    @ParameterizedTest
    @EnumSource
    void isExactForEverySmallLimitAtEveryInstantOfAPeriod(Synchronization synchronization) {
        for (int capacity = 1; capacity <= 20; capacity++) {
            for (int refill = 1; refill <= 7; refill++) {
                for (int period = refill; period <= 40; period++) {
                    TokenBucket bucket =
                            drained(synchronization, new Limit(capacity, refill, Duration.ofNanos(period)));
                    for (int instant = 0; instant < period; instant++) {
                        for (int tokens = 1; tokens <= capacity; tokens++) {
                            requireExactRetryAfter(bucket, tokens, "");
                        }
                        clock.advance(Duration.ofNanos(1));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void isExactForLimitsOfAnySize(Synchronization synchronization) {
        SplittableRandom seeds = new SplittableRandom(synchronization.name().hashCode());
        for (int i = 0; i < 34_000; i++) {
            long seed = seeds.nextLong();
            SplittableRandom random = new SplittableRandom(seed);
            RandomLimits limits = new RandomLimits(random);
            Limit limit = random.nextInt(10) == 0 ? limits.nearest() : limits.exact();
            TokenBucket bucket = drained(synchronization, limit);
            clock.advance(Duration.ofNanos(random.nextLong(1 + bucket.peek(1).resetAfterNanos())));

            for (long tokens : new long[] {1, 1 + random.nextLong(limit.capacity()), limit.capacity()}) {
                requireExactRetryAfter(bucket, tokens, "seed " + seed);
            }
        }
    }

    private TokenBucket drained(Synchronization synchronization, Limit limit) {
        return TokenBucket.builder()
                .limits(limit)
                .synchronization(synchronization)
                .clock(clock)
                .initialTokens(0)
                .build();
    }

    /** Leaves the bucket and the clock as they were. */
    private void requireExactRetryAfter(TokenBucket bucket, long tokens, String seed) {
        long now = clock.nanos();
        long wait = bucket.peek(tokens).retryAfterNanos();
        if (wait > 0) {
            clock.set(now + wait - 1);
            assertThat(bucket.tryConsume(tokens).allowed())
                    .as(() -> "%s: %d tokens of %s a nanosecond before %d".formatted(seed, tokens, bucket, wait))
                    .isFalse();
        }
        clock.set(now + wait);
        assertThat(bucket.peek(tokens).allowed())
                .as(() -> "%s: %d tokens of %s after %d ns".formatted(seed, tokens, bucket, wait))
                .isTrue();
        clock.set(now);
    }
}
