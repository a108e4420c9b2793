package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.Reservation;
import dev.ratelimit.spring.OnFailure;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** What is decided after Redis was killed. */
class OnFailureTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final ConcurrentLinkedQueue<String> degraded = new ConcurrentLinkedQueue<>();
    private final Policy api = Policy.of("api", Limit.parse("10/1d"));
    private final Policy strict = Policy.of("strict", Limit.parse("10/1d"));
    private final Policy open = Policy.of("open", Limit.parse("10/1d"));
    private final Policy here = Policy.of("here", Limit.parse("3/1d"));
    private final RedisProcess server = RedisProcess.start();
    private final LettuceConnectionFactory connections = new LettuceConnectionFactory("127.0.0.1", server.port());
    private RedisRateLimiter limiter;

    @BeforeEach
    void connect() {
        connections.afterPropertiesSet();
        limiter = newLimiter(1);
    }

    private RedisRateLimiter newLimiter(int instances) {
        return RedisRateLimiter.builder(connections)
                .clock(clock)
                .timeout(Duration.ofSeconds(10))
                .instances(instances)
                .shared(policy -> !policy.equals("here"))
                .onFailure(policy -> Map.of("strict", OnFailure.DENY, "open", OnFailure.ALLOW)
                        .getOrDefault(policy, OnFailure.LOCAL))
                .degraded(degraded::add)
                .build();
    }

    @AfterEach
    void disconnect() {
        limiter.close();
        connections.destroy();
        server.close();
    }

    @Test
    void holdsNoSecondBurst() {
        assertThat(limiter.tryConsume(api, "k", 4).allowed()).isTrue();
        limiter.charge(api, "k", 2);
        assertThat(limiter.peek(api, "k", 1).remaining()).isEqualTo(3);
        server.kill();

        assertThat(limiter.tryConsume(api, "k", 1).remaining()).isEqualTo(3);
        assertThat(limiter.tryConsume(api, "k", 4).allowed()).isFalse();
        assertThat(limiter.tryConsume(api, "k", 3).allowed()).isTrue();
        assertThat(limiter.tryConsume(api, "other", 10).allowed()).isTrue();
        assertThat(limiter.tryConsume(api, "k", 11).never()).isTrue();
        assertThat(degraded).hasSize(5).containsOnly("api");
    }

    @Test
    void keepsTheDebtOfACharge() {
        server.kill();
        assertThat(limiter.tryConsume(api, "k", 1).allowed()).isTrue();

        limiter.charge(api, "k", 29);

        assertThat(waitForOne(limiter)).isEqualTo(Duration.ofDays(21).dividedBy(10));
    }

    @Test
    void keepsTheDebtOfAChargeFromBefore() {
        assertThat(limiter.tryConsume(api, "k", 1).allowed()).isTrue();
        limiter.charge(api, "k", 29);
        server.kill();

        assertThat(waitForOne(limiter)).isEqualTo(Duration.ofDays(21).dividedBy(10));
    }

    /** The share has two tokens, and gets one in half a day. */
    @Test
    void owesAllOfAChargeThatRedisWasNotTold() {
        try (RedisRateLimiter oneOfFive = newLimiter(5)) {
            server.kill();
            while (!oneOfFive.stats().isFailing()) {
                oneOfFive.tryConsume(api, "another", 1);
            }

            oneOfFive.charge(api, "k", 20);

            assertThat(waitForOne(oneOfFive)).isEqualTo(Duration.ofHours(19 * 12));
        }
    }

    /** Redis would owe ten tokens, and have them in a day; then the share waits for one of its own. */
    @Test
    void owesItsPartOfAChargeThatRedisWasTold() {
        try (RedisRateLimiter oneOfFive = newLimiter(5)) {
            oneOfFive.charge(api, "k", 20);
            server.kill();

            assertThat(waitForOne(oneOfFive)).isEqualTo(Duration.ofHours(24 + 12));
        }
    }

    @Test
    void owesNothingOfChargesThatAreSmall() {
        try (RedisRateLimiter oneOfFive = newLimiter(5)) {
            for (int i = 0; i < 4; i++) {
                oneOfFive.charge(api, "k", 1);
            }
            server.kill();

            assertThat(waitForOne(oneOfFive)).isEqualTo(Duration.ofHours(12));
        }
    }

    private Duration waitForOne(RedisRateLimiter asked) {
        return Duration.ofNanos(asked.tryConsume(api, "k", 1).retryAfterNanos());
    }

    @Test
    void countsNoDecisionWhereSomebodyOnlyLooks() {
        server.kill();

        assertThat(limiter.peek(api, "k", 1).allowed()).isTrue();
        assertThat(degraded).isEmpty();
        assertThat(limiter.tryConsume(api, "k", 1).allowed()).isTrue();
        assertThat(degraded).containsExactly("api");
    }

    @Test
    void holdsAShareOfTheLimits() {
        try (RedisRateLimiter oneOfFour = newLimiter(4)) {
            server.kill();

            Decision first = oneOfFour.tryConsume(api, "k", 2);
            Decision second = oneOfFour.tryConsume(api, "k", 1);
            assertThat(first.allowed()).isTrue();
            assertThat(first.limit()).isEqualTo(api.limits().get(0));
            assertThat(second.allowed()).isFalse();
            assertThat(Duration.ofNanos(second.retryAfterNanos()))
                    .isEqualTo(Duration.ofDays(4).dividedBy(10));
            assertThat(oneOfFour.tryConsume(api, "k", 5).unavailable()).isTrue();
            assertThat(oneOfFour.tryConsume(api, "k", 11).never()).isTrue();
        }
    }

    @Test
    void sharesAddUpToTheLimitAtMost() {
        List<RedisRateLimiter> instances =
                Stream.generate(() -> newLimiter(4)).limit(4).toList();
        try {
            server.kill();

            assertThat(taken(instances)).isEqualTo(8); // of 10, as 2.5 is no whole number
            clock.advance(Duration.ofDays(1).dividedBy(10).multipliedBy(4));
            assertThat(taken(instances)).isEqualTo(4); // a tenth of the limit has flowed in each tenth of a day
        } finally {
            instances.forEach(RedisRateLimiter::close);
        }
    }

    private long taken(List<RedisRateLimiter> instances) {
        return instances.stream()
                .flatMap(each ->
                        Stream.generate(() -> each.tryConsume(api, "k", 1)).limit(20))
                .filter(Decision::allowed)
                .count();
    }

    @Test
    void deniesOrAllowsAsThePolicySays() {
        server.kill();

        Decision denied = limiter.tryConsume(strict, "k", 1);
        assertThat(denied.unavailable()).isTrue();
        assertThat(denied.retryAfterNanos()).isPositive();
        for (int i = 0; i < 30; i++) {
            assertThat(limiter.tryConsume(open, "k", 1).allowed()).isTrue();
        }
        assertThat(limiter.tryConsume(open, "k", 11).never()).isTrue();
        assertThat(limiter.tryConsume(here, "k", 1).remaining()).isEqualTo(2);
        assertThat(degraded).hasSize(32).doesNotContain("here");
        assertThatIllegalStateException().isThrownBy(() -> limiter.reset(api, "k"));
    }

    @Test
    void staysAllOrNothing() {
        server.kill();

        List<Claim> one = List.of(new Claim(here, "k", 1), new Claim(api, "k", 1), new Claim(strict, "k", 1));
        assertThat(limiter.tryConsume(one)).extracting(Decision::allowed).containsExactly(true, true, false);
        List<Claim> two = List.of(new Claim(here, "k", 3), new Claim(api, "k", 10), new Claim(open, "k", 1));
        assertThat(limiter.tryConsume(two)).extracting(Decision::remaining).containsExactly(0L, 0L, 9L);
        List<Claim> three = List.of(new Claim(here, "k", 1), new Claim(api, "l", 10));
        assertThat(limiter.tryConsume(three)).extracting(Decision::allowed).containsExactly(false, true);
        assertThat(limiter.tryConsume(api, "l", 10).allowed()).isTrue();
    }

    @Test
    void undoesWhatTheShareGave() {
        Reservation before = limiter.reserve(List.of(new Claim(api, "k", 4)), Duration.ZERO);
        server.kill();
        Reservation after = limiter.reserve(List.of(new Claim(here, "k", 1), new Claim(api, "k", 6)), Duration.ZERO);
        assertThat(after.decisions()).extracting(Decision::remaining).containsExactly(2L, 0L);

        after.undo();
        assertThat(limiter.peek(here, "k", 3).allowed()).isTrue();
        assertThat(limiter.peek(api, "k", 1).remaining()).isEqualTo(5);
        before.undo();
        assertThat(limiter.peek(api, "k", 10).allowed()).isTrue();
    }

    @Test
    void countsWhatItCannotGiveBack() {
        Reservation taken = limiter.reserve(List.of(new Claim(api, "k", 4)), Duration.ZERO);
        assertThat(degraded).isEmpty();
        limiter.close();

        taken.undo();
        assertThat(limiter.stats().failures(RedisStats.Failure.UNREACHABLE)).isEqualTo(1);
    }
}
