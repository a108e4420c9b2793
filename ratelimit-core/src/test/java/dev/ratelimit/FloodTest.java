package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** More keys than there is room for: a plain size bound would hand out a full bucket for each that comes back. */
@ParameterizedClass
@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL")
class FloodTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final Policy policy = Policy.of("api", Limit.parse("5/1d"));
    private final Synchronization synchronization;

    FloodTest(Synchronization synchronization) {
        this.synchronization = synchronization;
    }

    private LocalRateLimiter limiter(long maximumKeys) {
        return LocalRateLimiter.builder()
                .maximumKeys(maximumKeys)
                .synchronization(synchronization)
                .clock(clock)
                .build();
    }

    @Test
    void holdsEveryOfManyRotatingKeysAtItsBound() {
        LocalRateLimiter limiter = limiter(10_000);
        int[] admitted = new int[65_536];
        for (int round = 0; round < 10; round++) {
            for (int key = 0; key < admitted.length; key++) {
                admitted[key] += limiter.tryConsume(policy, "key" + key, 1).allowed() ? 1 : 0;
            }
        }

        assertThat(IntStream.of(admitted)).allMatch(count -> count <= 5);
        assertThat(IntStream.of(admitted).sum())
                .as("as if each were served once")
                .isGreaterThan(admitted.length);
        assertThat(limiter.keys(policy)).isLessThanOrEqualTo(10_000);
    }

    @Test
    void givesAnExhaustedKeyNothingThoughItIsFloodedAway() {
        LocalRateLimiter limiter = limiter(1_000);
        assertThat(limiter.tryConsume(policy, "victim", 5).allowed()).isTrue();
        for (int i = 0; i < 50_000; i++) {
            limiter.tryConsume(policy, "flood" + i, 1);
            if (i % 1_000 == 0) {
                assertThat(limiter.tryConsume(policy, "victim", 1).allowed()).isFalse();
                assertThat(limiter.peek(policy, "victim", 1).remaining()).isZero();
            }
        }
        clock.advance(Duration.ofHours(24).dividedBy(5));
        assertThat(limiter.tryConsume(policy, "victim", 1).allowed()).isTrue();
        assertThat(limiter.tryConsume(policy, "victim", 1).allowed()).isFalse();
    }

    @Test
    void forgetsNothingWhenThreadsConsumeWhatOthersEvict() throws Exception {
        LocalRateLimiter limiter = limiter(64);
        AtomicLongArray admitted = new AtomicLongArray(4_096);
        Race.of(8, thread -> {
            ThreadLocalRandom random = ThreadLocalRandom.current();
            for (int i = 0; i < 20_000; i++) {
                int key = random.nextInt(admitted.length());
                if (limiter.tryConsume(policy, "key" + key, 1).allowed()) {
                    admitted.incrementAndGet(key);
                }
            }
        });

        for (int key = 0; key < admitted.length(); key++) {
            assertThat(admitted.get(key)).isLessThanOrEqualTo(5);
        }
    }

    @Test
    void servesHonestNewcomersDuringAFlood() {
        LocalRateLimiter limiter = limiter(10_000);
        Policy generous = Policy.of("generous", Limit.parse("100/1m"));
        int served = 0;
        for (int second = 0; second < 10; second++) {
            for (int i = 0; i < 17_000; i++) {
                limiter.tryConsume(generous, "flood" + second + '-' + i, 1);
            }
            for (int honest = 0; honest < 1_000; honest++) {
                served += limiter.tryConsume(generous, "honest" + honest, 1).allowed() ? 1 : 0;
            }
            clock.advance(Duration.ofSeconds(1));
        }

        assertThat(served).isEqualTo(10 * 1_000);
    }

    @Test
    void deniesNewcomersUnderFarMoreKeysThanCellsAndNoLongerThanABucketTakesToFill() {
        LocalRateLimiter limiter = limiter(1);
        for (int i = 0; i < 100_000; i++) {
            limiter.tryConsume(policy, "flood" + i, 1);
        }
        assertThat(served(limiter, "new")).isLessThan(100);
        clock.advance(Duration.ofDays(1));

        assertThat(served(limiter, "newer")).isEqualTo(100);
    }

    private long served(LocalRateLimiter limiter, String newcomers) {
        return IntStream.range(0, 100)
                .filter(i -> limiter.peek(policy, newcomers + i, 1).allowed())
                .count();
    }

    @Test
    void givesBackToAKeyThatIsGoneAndResetsIt() {
        LocalRateLimiter limiter = limiter(1);
        limiter.tryConsume(policy, "k", 5);
        evict(limiter);

        limiter.refund(policy, "k", 2);
        assertThat(limiter.peek(policy, "k", 3).allowed()).isFalse();
        assertThat(limiter.tryConsume(policy, "k", 2).allowed()).isTrue();
        evict(limiter);
        limiter.reset(policy, "k");
        assertThat(limiter.peek(policy, "k", 5).allowed()).isTrue();
    }

    private void evict(LocalRateLimiter limiter) {
        for (int i = 0; i < 100; i++) {
            limiter.tryConsume(policy, "other" + i, 1);
            limiter.keys(policy);
        }
    }

    @Test
    void letsNoKeyReachTheBucketOfALongOne() {
        LocalRateLimiter limiter = limiter(10);
        String giant = "x".repeat(1_000);
        assertThat(limiter.tryConsume(policy, KeyDigest.of(giant), 5).allowed()).isTrue();

        assertThat(limiter.tryConsume(policy, giant, 5).allowed()).isTrue();
        assertThat(KeyDigest.of("\ud800" + giant)).isNotEqualTo(KeyDigest.of("\ud801" + giant));
    }

    @Test
    void forgetsWhoIsFullAgainAsOthersCome() {
        LocalRateLimiter limiter = limiter(10_000);
        for (int i = 0; i < 1_000; i++) {
            limiter.tryConsume(policy, "idle" + i, 1);
        }
        clock.advance(Duration.ofDays(1).dividedBy(5).plusSeconds(1));
        for (int i = 0; i < 600; i++) {
            limiter.tryConsume(policy, "new" + i, 5);
        }

        assertThat(limiter.estimatedKeys(policy)).isLessThan(1_000);
        assertThat(limiter.keys(policy)).isEqualTo(600);
    }

    @Test
    void givesNobodyMoreWhoseBucketWasForgottenBeforeTheClockWentBack() {
        LocalRateLimiter limiter = limiter(1);
        for (Runnable forget : List.<Runnable>of(() -> limiter.keys(policy), () -> evict(limiter))) {
            limiter.tryConsume(policy, "k", 5);
            clock.advance(Duration.ofDays(1));
            forget.run();
            clock.advance(Duration.ofSeconds(-1));

            assertThat(limiter.peek(policy, "k", 5).retryAfterNanos())
                    .isEqualTo(Duration.ofSeconds(1).toNanos());
            clock.advance(Duration.ofDays(2));
        }
    }

    @Test
    void tracksNothingForKeysThatAreOnlyLookedAt() {
        LocalRateLimiter limiter = limiter(10);
        limiter.peek(policy, "k", 1);
        limiter.refund(policy, "k", 1);
        limiter.reset(policy, "k");

        assertThat(limiter.keys(policy)).isZero();
    }

    @Test
    void keepsALongKeyAsADigestThatIsStillItsOwn() {
        LocalRateLimiter limiter = limiter(10);
        String giant = "x".repeat(1 << 20);

        assertThat(limiter.tryConsume(policy, giant + "1", 5).allowed()).isTrue();
        assertThat(limiter.tryConsume(policy, giant + "1", 1).allowed()).isFalse();
        assertThat(limiter.tryConsume(policy, giant + "2", 5).allowed()).isTrue();
        limiter.refund(policy, giant + "1", 3);
        limiter.charge(policy, giant + "1", 1);
        assertThat(limiter.peek(policy, giant + "1", 3).remaining()).isEqualTo(2);
        for (String key : new String[] {"a".repeat(64), "a".repeat(128), "\u20ac".repeat(64)}) {
            assertThat(KeyDigest.of(key)).isSameAs(key);
        }
        for (String key : new String[] {"a".repeat(129), "\u20ac".repeat(65), "\ud83d\ude00".repeat(100)}) {
            assertThat(KeyDigest.of(key)).hasSize("sha256:".length() + 44).isNotEqualTo(KeyDigest.of(key + "a"));
        }
    }
}
