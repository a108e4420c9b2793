package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL") // refused, see below
class LocalRateLimiterTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final LocalRateLimiter limiter;
    private final Synchronization synchronization;
    private final Policy api = Policy.of("api", Limit.parse("5/1m"));
    private final Policy login = Policy.of("login", Limit.parse("2/1m"), Limit.parse("3/1h"));

    LocalRateLimiterTest(Synchronization synchronization) {
        this.synchronization = synchronization;
        limiter = LocalRateLimiter.builder()
                .maximumKeys(1_000)
                .synchronization(synchronization)
                .clock(clock)
                .build();
    }

    @Test
    void goesOnAfterAnErrorWhereverItStrikes() {
        for (int reading = 1; reading <= 5; reading++) {
            AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
            RateLimiter fragile = LocalRateLimiter.builder()
                    .synchronization(synchronization)
                    .clock(() -> {
                        if (left.decrementAndGet() == 0) {
                            throw new StackOverflowError();
                        }
                        return clock.nanos();
                    })
                    .build();
            for (String key : List.of("k", "l")) {
                left.set(Integer.MAX_VALUE);
                fragile.tryConsume(api, key, 1);
                left.set(reading);
                try {
                    fragile.tryConsume(Policy.of("api", Limit.parse("6/1m")), key, 1);
                } catch (StackOverflowError expected) {
                    // what comes next is the question
                }
            }

            left.set(Integer.MAX_VALUE);
            assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
                assertThat(fragile.tryConsume(api, "k", 1).allowed()).isTrue();
                assertThat(fragile.peek(api, "l", 1).allowed()).isTrue();
            });
        }
    }

    @Test
    void keepsABucketForEachKeyAndPolicy() {
        assertThat(limiter.tryConsume(api, "alice", 5).allowed()).isTrue();

        assertThat(limiter.tryConsume(api, "alice", 1).allowed()).isFalse();
        assertThat(limiter.tryConsume(api, "bob", 5).allowed()).isTrue();
        assertThat(limiter.tryConsume(login, "alice", 2).allowed()).isTrue();
        assertThat(limiter.tryConsume(api, "", 5).allowed()).isTrue();
    }

    @Test
    void decidesAsTheBucketDoes() {
        TokenBucket bucket = TokenBucket.builder()
                .limits(login.limits().toArray(Limit[]::new))
                .clock(clock)
                .build();
        for (long tokens : new long[] {1, 2, 1, 1, 4, Long.MAX_VALUE}) {
            assertThat(limiter.peek(login, "k", tokens)).isEqualTo(bucket.peek(tokens));
            assertThat(limiter.tryConsume(login, "k", tokens)).isEqualTo(bucket.tryConsume(tokens));
            clock.advance(Duration.ofSeconds(7));
        }
    }

    @Test
    void decidesAsIfNoIdleKeyWereEverForgotten() {
        Random random = new Random(7);
        int withoutAll = 0;
        List<TokenBucket> buckets = Stream.generate(() -> TokenBucket.builder()
                        .limits(login.limits().toArray(Limit[]::new))
                        .clock(clock)
                        .build())
                .limit(10)
                .toList();
        for (int i = 0; i < 10_000; i++) {
            int key = random.nextInt(10);
            long tokens = 1L + random.nextInt(2);
            assertThat(limiter.tryConsume(login, "k" + key, tokens))
                    .isEqualTo(buckets.get(key).tryConsume(tokens));
            withoutAll += limiter.keys(login) < 10 ? 1 : 0;
            clock.advance(Duration.ofNanos(random.nextLong(1L << (20 + random.nextInt(22)))));
        }
        assertThat(withoutAll).as("how often a key had been forgotten").isGreaterThan(1_000);
    }

    @Test
    void givesBackAndResets() {
        limiter.tryConsume(api, "k", 5);
        limiter.refund(api, "k", 2);
        assertThat(limiter.peek(api, "k", 2).allowed()).isTrue();
        assertThat(limiter.peek(api, "k", 3).allowed()).isFalse();

        limiter.reset(api, "k");
        assertThat(limiter.peek(api, "k", 5).allowed()).isTrue();
        limiter.refund(api, "unknown", Long.MAX_VALUE);
        assertThat(limiter.peek(api, "unknown", 6).never()).isTrue();
    }

    @Test
    void chargesWhatWasUsedAlreadyThoughItLeavesADebt() {
        limiter.charge(api, "k", 2);
        assertThat(limiter.peek(api, "k", 3).remaining()).isZero();
        limiter.charge(api, "k", 8);

        assertThat(limiter.peek(api, "k", 1).retryAfterNanos())
                .isEqualTo(Duration.ofSeconds(72).toNanos());
        clock.advance(Duration.ofSeconds(72));
        assertThat(limiter.tryConsume(api, "k", 1).allowed()).isTrue();
        limiter.charge(api, "k", Long.MAX_VALUE);
        clock.advance(Duration.ofDays(36_500));
        assertThat(limiter.tryConsume(api, "k", 1).allowed()).isFalse();
        limiter.reset(api, "k");
        assertThat(limiter.tryConsume(api, "k", 5).allowed()).isTrue();
    }

    @Test
    void chargesAListOfClaimsAllOrNothing() {
        List<Claim> claims = List.of(new Claim(api, "k", 2), new Claim(login, "k", 1));

        assertThat(limiter.tryConsume(claims)).extracting(Decision::remaining).containsExactly(3L, 1L);
        assertThat(limiter.tryConsume(claims)).extracting(Decision::remaining).containsExactly(1L, 0L);
        for (int i = 0; i < 3; i++) {
            List<Decision> denied = limiter.tryConsume(claims);
            assertThat(denied).extracting(Decision::allowed).containsExactly(false, false);
            assertThat(limiter.peek(api, "k", 1).remaining()).isZero();
        }

        clock.advance(Duration.ofSeconds(12));
        assertThat(limiter.tryConsume(claims)).extracting(Decision::allowed).containsExactly(true, false);
        assertThat(limiter.peek(api, "k", 2).allowed()).isTrue();
    }

    @Test
    void addsUpClaimsOnOneBucket() {
        List<Claim> claims = List.of(new Claim(api, "k", 2), new Claim(login, "k", 1), new Claim(api, "k", 2));

        assertThat(limiter.tryConsume(claims)).extracting(Decision::remaining).containsExactly(1L, 1L, 1L);
        assertThat(limiter.tryConsume(claims)).extracting(Decision::allowed).containsExactly(false, true, false);
        assertThat(limiter.peek(login, "k", 1).allowed()).isTrue();

        Claim huge = new Claim(api, "k", Long.MAX_VALUE);
        assertThat(limiter.tryConsume(List.of(huge, huge))).allMatch(Decision::never);
        assertThat(limiter.tryConsume(List.of())).isEmpty();
        assertThat(limiter.tryConsume(List.of(huge))).allMatch(Decision::never);
    }

    @Test
    void tellsHowManyKeysOfWhichPoliciesItKeeps() {
        limiter.tryConsume(login, "alice", 1);
        limiter.tryConsume(login, "bob", 1);

        assertThat(limiter).hasToString("LocalRateLimiter[login: 2/1m, 3/1h, 2 keys]");
    }

    @Test
    void refusesFewerThanOneToken() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> limiter.tryConsume(api, "k", 0))
                .withMessage("tokens must be positive: 0");
        assertThatIllegalArgumentException().isThrownBy(() -> limiter.peek(api, "k", -1));
        assertThatIllegalArgumentException().isThrownBy(() -> limiter.refund(api, "k", 0));
        assertThatIllegalArgumentException().isThrownBy(() -> limiter.charge(api, "k", 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Claim(api, "k", 0));
    }

    @Test
    void refusesWhatCannotBeAPolicyOrALimiter() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Policy.of("api"))
                .withMessage("policy api needs at least one limit");
        assertThatIllegalArgumentException().isThrownBy(() -> Policy.of(" ", Limit.parse("1/s")));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LocalRateLimiter.builder().maximumKeys(0))
                .withMessage("maximumKeys must be positive: 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LocalRateLimiter.builder().synchronization(Synchronization.THREAD_LOCAL))
                .withMessageStartingWith("synchronization must not be THREAD_LOCAL: a key would have a budget");
    }
}
