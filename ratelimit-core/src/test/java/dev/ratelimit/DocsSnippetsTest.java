package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;

/** The code that the pages in {@code docs} show, word for word: how to do it, and what goes wrong. */
class DocsSnippetsTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());

    @Test
    void choosesAGuard() {
        TokenBucket bucket = TokenBucket.builder()
                .limits(Limit.parse("10/1s"), Limit.parse("100/1h"))
                .synchronization(Synchronization.STAMPED)
                .build();

        assertThat(bucket.tryConsume(10).allowed()).isTrue();
        assertThat(bucket.tryConsume(11).never()).isTrue();
    }

    @Test
    void joinsAUserAndTheirTenant() {
        TokenBucket.Builder locked =
                TokenBucket.builder().synchronization(Synchronization.LOCK).clock(clock);
        TokenBucket tenant = locked.limits(Limit.parse("100/1m")).build();
        TokenBucket user = locked.limits(Limit.parse("10/1m")).build();
        TokenBucket both = TokenBucket.allOf(user, tenant);

        assertThat(both.tryConsume(10).allowed()).isTrue();
        assertThat(both.tryConsume(1).allowed()).isFalse();
        assertThat(tenant.tryConsume(90).allowed()).isTrue();
    }

    @Test
    void limitsEachClient() {
        Policy api = Policy.of("api", Limit.parse("100/1m"));
        RateLimiter limiter = LocalRateLimiter.builder().maximumKeys(10_000).build();
        Decision decision = limiter.tryConsume(api, "alice", 1);

        assertThat(decision.remaining()).isEqualTo(99);
    }

    @Test
    void movesABucketFromBucket4j() {
        TokenBucket bucket = TokenBucket.of(Limit.parse("100/1m burst 200"));
        Decision decision = bucket.tryConsume(1);
        long wait = decision.retryAfterNanos();

        assertThat(wait).isZero();
        assertThat(decision.remaining()).isEqualTo(199);
    }

    @Test
    void movesAProxyManagerFromBucket4j() {
        Policy api = Policy.of("api", Limit.parse("100/1m"));
        RateLimiter limiter = LocalRateLimiter.builder().maximumKeys(10_000).build();
        boolean allowed = limiter.tryConsume(api, "alice", 1).allowed();

        assertThat(allowed).isTrue();
    }

    @Test
    void movesAWaitFromBucket4j() throws Exception {
        TokenBucket bucket = TokenBucket.builder()
                .limits(Limit.parse("1/1s"))
                .clock(clock)
                .initialTokens(0)
                .build();
        boolean allowed = bucket.consume(1, Duration.ofSeconds(2)).allowed();

        assertThat(allowed).isTrue();
    }

    @Test
    void movesALimiterFromResilience4j() throws Exception {
        TokenBucket quotes = TokenBucket.of(Limit.parse("50/1s"));
        boolean allowed = quotes.consume(1, Duration.ofMillis(500)).allowed();

        assertThat(allowed).isTrue();
    }

    @Test
    void twoLocksInTwoOrdersAreNeverBothTaken() throws Exception {
        ReentrantLock user = new ReentrantLock();
        ReentrantLock tenant = new ReentrantLock();
        CyclicBarrier step = new CyclicBarrier(2);
        AtomicInteger taken = new AtomicInteger();

        Race.of(2, thread -> {
            ReentrantLock first = thread == 0 ? user : tenant;
            ReentrantLock second = thread == 0 ? tenant : user;
            first.lock();
            try {
                step.await();
                // with lock() in place of this, both threads wait for ever
                if (second.tryLock(10, TimeUnit.MILLISECONDS)) {
                    taken.incrementAndGet();
                    second.unlock();
                }
                step.await();
            } finally {
                first.unlock();
            }
        });

        assertThat(taken).hasValue(0);
    }

    @Test
    void aReadingThatWrapsLooksEarlierThanOneBeforeIt() {
        clock.set(Long.MAX_VALUE);
        long fullAt = clock.nanos();
        clock.advance(Duration.ofSeconds(1));
        boolean wrong = clock.nanos() >= fullAt; // false, and so for 292 years
        boolean right = clock.nanos() - fullAt >= 0; // true

        assertThat(wrong).isFalse();
        assertThat(right).isTrue();
    }

    @Test
    void aRefillThatRoundsDownEachTimeAddsNothing() {
        long tokens = 0;
        long last = clock.nanos();
        for (int i = 0; i < 100_000; i++) {
            clock.advance(Duration.ofNanos(99_991));
            long now = clock.nanos();
            tokens += (now - last) * 7 / 1_000_000_000; // 7 tokens a second: 0 each time
            last = now;
        }

        assertThat(tokens).isZero();
    }
}
