package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.ManualClock;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.Reservation;
import dev.ratelimit.spring.OnFailure;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** Limits are so slow that no token flows in while a test runs. */
class RedisRateLimiterTest {
    private static RedisProcess server;
    private static LettuceConnectionFactory connections;

    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final ConcurrentLinkedQueue<String> degraded = new ConcurrentLinkedQueue<>();
    private final Policy api = Policy.of("api", Limit.parse("5/1d"));
    private final Policy login = Policy.of("login", Limit.parse("2/1d"), Limit.parse("3/10d"));
    private final Policy here = Policy.of("here", Limit.parse("3/1d"));
    private RedisRateLimiter limiter;

    @BeforeAll
    static void startServer() {
        server = RedisProcess.start();
        connections = new LettuceConnectionFactory("127.0.0.1", server.port());
        connections.afterPropertiesSet();
    }

    @AfterAll
    static void stopServer() {
        connections.destroy();
        server.close();
    }

    @BeforeEach
    void connect() {
        server.call("FLUSHALL");
        limiter = newLimiter().build();
    }

    private RedisRateLimiter.Builder newLimiter() {
        return RedisRateLimiter.builder(connections)
                .clock(clock)
                .timeout(Duration.ofSeconds(10))
                .prefix("app")
                .shared(policy -> !policy.equals("here"))
                .degraded(degraded::add);
    }

    @AfterEach
    void disconnect() {
        limiter.close();
    }

    @Test
    void keepsABucketForEachKeyAndPolicy() {
        assertThat(limiter.tryConsume(api, "alice", 5).allowed()).isTrue();

        assertThat(limiter.tryConsume(api, "alice", 1).allowed()).isFalse();
        assertThat(limiter.tryConsume(api, "bob", 5).allowed()).isTrue();
        assertThat(limiter.tryConsume(login, "alice", 2).allowed()).isTrue();
        assertThat(limiter.tryConsume(api, "", 5).allowed()).isTrue();
        assertThat(degraded).isEmpty();
    }

    @Test
    void sharesBucketsWithOtherProcesses() {
        try (RedisRateLimiter other = newLimiter().build()) {
            assertThat(limiter.tryConsume(api, "k", 3).remaining()).isEqualTo(2);
            assertThat(other.tryConsume(api, "k", 2).remaining()).isZero();
            assertThat(limiter.tryConsume(api, "k", 1).allowed()).isFalse();
        }
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

        long day = Duration.ofDays(1).toNanos();
        assertThat(limiter.peek(api, "k", 1).retryAfterNanos()).isBetween(day + day / 5 - day / 100, day + day / 5);
        limiter.charge(api, "k", Long.MAX_VALUE);
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
    }

    @Test
    void chargesClaimsHereAndInRedisAllOrNothing() {
        List<Claim> claims = List.of(new Claim(here, "k", 1), new Claim(api, "k", 2));

        assertThat(limiter.tryConsume(claims)).extracting(Decision::remaining).containsExactly(2L, 3L);
        assertThat(limiter.tryConsume(claims)).extracting(Decision::remaining).containsExactly(1L, 1L);
        assertThat(limiter.tryConsume(claims)).extracting(Decision::allowed).containsExactly(true, false);
        assertThat(limiter.tryConsume(claims)).extracting(Decision::remaining).containsExactly(0L, 1L);
        assertThat(limiter.peek(here, "k", 1).allowed()).isTrue();

        limiter.reset(api, "k");
        limiter.tryConsume(here, "k", 1);
        assertThat(limiter.tryConsume(claims)).extracting(Decision::allowed).containsExactly(false, true);
        assertThat(limiter.peek(api, "k", 5).allowed()).isTrue();
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
    void reservesForWhoWaits() {
        long day = Duration.ofDays(1).toNanos();
        limiter.tryConsume(api, "k", 5);

        Decision second = limiter.reserve(List.of(new Claim(api, "k", 1)), Duration.ofHours(5))
                .decisions()
                .get(0);
        Decision third = limiter.reserve(List.of(new Claim(api, "k", 1)), Duration.ofHours(5))
                .decisions()
                .get(0);

        assertThat(second.allowed()).isTrue();
        assertThat(second.retryAfterNanos()).isBetween(day / 5 - day / 100, day / 5);
        assertThat(third.allowed()).isFalse();
        assertThat(third.retryAfterNanos()).isBetween(2 * day / 5 - day / 100, 2 * day / 5);
    }

    @Test
    void takesAnyWaitBelowZeroForNone() {
        limiter.tryConsume(api, "k", 5);
        for (Duration wait :
                List.of(Duration.ofNanos(-1), Duration.ofDays(-106_751_992), Duration.ofSeconds(Long.MIN_VALUE))) {
            clock.advance(Duration.ofSeconds(1)); // so that Redis is asked
            assertThat(limiter.reserve(List.of(new Claim(api, "k", 1)), wait).allowed())
                    .isFalse();
        }
    }

    @Test
    void undoesWhatItTookEverywhereAndOnlyOnce() {
        List<Claim> claims = List.of(new Claim(here, "k", 2), new Claim(api, "k", 2), new Claim(login, "k", 1));
        limiter.tryConsume(List.of(new Claim(here, "k", 1), new Claim(api, "k", 1)));
        Reservation taken = limiter.reserve(claims, Duration.ZERO);
        assertThat(taken.decisions()).extracting(Decision::remaining).containsExactly(0L, 2L, 1L);
        assertThat(limiter.tryConsume(api, "k", 3).allowed()).isFalse(); // and is known to be

        taken.undo();
        taken.undo();

        assertThat(limiter.peek(here, "k", 2).allowed()).isTrue();
        assertThat(limiter.peek(here, "k", 3).allowed()).isFalse();
        assertThat(limiter.peek(api, "k", 4).allowed()).isTrue();
        assertThat(limiter.peek(api, "k", 5).allowed()).isFalse();
        assertThat(limiter.peek(login, "k", 2).allowed()).isTrue();
        assertThat(degraded).isEmpty();

        Reservation denied = limiter.reserve(List.of(new Claim(here, "k", 1), new Claim(api, "k", 5)), Duration.ZERO);
        assertThat(denied.allowed()).isFalse();
        denied.undo();
        assertThat(limiter.peek(here, "k", 2).allowed()).isTrue();
        assertThat(limiter.peek(api, "k", 5).allowed()).isFalse();
    }

    @Test
    void givesNothingBackThatAResetHasGivenBack() {
        Reservation taken = limiter.reserve(List.of(new Claim(api, "k", 5)), Duration.ZERO);
        limiter.reset(api, "k");
        assertThat(limiter.tryConsume(api, "k", 5).allowed()).isTrue();

        taken.undo();
        assertThat(limiter.peek(api, "k", 1).remaining()).isZero();
    }

    @Test
    void givesNothingBackHereThatHasFlowedInAgainBeforeRedisDenied() {
        AtomicBoolean held = new AtomicBoolean(true);
        AtomicReference<RedisRateLimiter> self = new AtomicReference<>();
        NanoClock slow = () -> {
            RedisRateLimiter each = self.get();
            if (each != null && held.compareAndSet(true, false)) {
                if (each.peek(here, "k", 1).allowed()) {
                    held.set(true);
                } else { // it has been taken, and Redis is about to be asked
                    clock.advance(Duration.ofDays(1));
                    assertThat(each.tryConsume(here, "k", 3).allowed()).isTrue();
                }
            }
            return clock.nanos();
        };
        try (RedisRateLimiter each = newLimiter().clock(slow).build()) {
            each.tryConsume(api, "k", 5);
            self.set(each);

            assertThat(each.tryConsume(List.of(new Claim(here, "k", 3), new Claim(api, "k", 1))))
                    .extracting(Decision::allowed)
                    .containsExactly(true, false);

            assertThat(held).isFalse();
            assertThat(each.peek(here, "k", 1).allowed()).isFalse();
        }
    }

    @Test
    void reservesInOneCall() {
        limiter.tryConsume(api, "k", 5);
        long before = calls();

        assertThat(limiter.reserve(List.of(new Claim(api, "k", 1)), Duration.ofHours(5))
                        .allowed())
                .isTrue();

        assertThat(calls()).isEqualTo(before + 1);
    }

    @Test
    void refusesFewerThanOneToken() {
        for (RateLimiter each : List.of(limiter)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> each.tryConsume(api, "k", 0))
                    .withMessage("tokens must be positive: 0");
            assertThatIllegalArgumentException().isThrownBy(() -> each.peek(api, "k", -1));
            assertThatIllegalArgumentException().isThrownBy(() -> each.refund(api, "k", 0));
            assertThatIllegalArgumentException().isThrownBy(() -> each.charge(api, "k", 0));
        }
    }

    @Test
    void answersADeniedKeyWithoutRedis() {
        limiter.tryConsume(api, "k", 5);
        long retryAfterNanos = limiter.tryConsume(api, "k", 1).retryAfterNanos();
        long before = calls();
        for (int i = 0; i < 1_000; i++) {
            assertThat(limiter.tryConsume(api, "k", 1).allowed()).isFalse();
        }
        assertThat(limiter.tryConsume(api, "k", 1).retryAfterNanos()).isEqualTo(retryAfterNanos);
        assertThat(calls()).isEqualTo(before);

        clock.advance(Duration.ofMillis(999));
        assertThat(limiter.tryConsume(api, "k", 1).retryAfterNanos()).isEqualTo(retryAfterNanos - 999_000_000);
        assertThat(calls()).isEqualTo(before);
        clock.advance(Duration.ofMillis(1));
        limiter.tryConsume(api, "k", 1);
        assertThat(calls()).isEqualTo(before + 1);
    }

    @Test
    void asksOnceASecondForAKeyThatIsDeniedHere() {
        limiter.tryConsume(here, "k", 3);
        limiter.tryConsume(api, "k", 2);
        List<Claim> claims = List.of(new Claim(api, "k", 1), new Claim(here, "k", 1));
        long before = calls();
        for (int i = 0; i < 100; i++) {
            List<Decision> decisions = limiter.tryConsume(claims);
            assertThat(decisions).extracting(Decision::allowed).containsExactly(true, false);
            assertThat(decisions.get(0).remaining()).isEqualTo(2);
        }
        assertThat(calls()).isEqualTo(before + 1);

        clock.advance(Duration.ofSeconds(1));
        limiter.tryConsume(claims);
        assertThat(calls()).isEqualTo(before + 2);
        assertThat(limiter.tryConsume(api, "k", 3).allowed()).isTrue();
        assertThat(calls()).isEqualTo(before + 3);
    }

    private static long calls() {
        return server.calls("evalsha") + server.calls("eval");
    }

    @Test
    void asksAgainWhenADenialIsOver() {
        Policy fast = Policy.of("fast", Limit.parse("10/s burst 1"));
        limiter.tryConsume(fast, "k", 1);
        assertThat(limiter.tryConsume(fast, "k", 1).allowed()).isFalse();
        clock.advance(Duration.ofMillis(100));
        long before = calls();

        limiter.tryConsume(fast, "k", 1);

        assertThat(calls()).isEqualTo(before + 1);
    }

    @Test
    void noticesAResetElsewhereWithinASecondAndItsOwnAtOnce() {
        try (RedisRateLimiter other = newLimiter().build()) {
            limiter.tryConsume(api, "k", 5);
            limiter.tryConsume(api, "k", 1);
            other.reset(api, "k");
            clock.advance(Duration.ofSeconds(1));
            assertThat(limiter.tryConsume(api, "k", 5).allowed()).isTrue();

            limiter.tryConsume(api, "k", 1);
            limiter.reset(api, "k");
            assertThat(limiter.tryConsume(api, "k", 5).allowed()).isTrue();
            limiter.tryConsume(api, "k", 1);
            limiter.refund(api, "k", 1);
            assertThat(limiter.tryConsume(api, "k", 1).allowed()).isTrue();
        }
    }

    @Test
    void takesOneTimeAndAGetAndAtMostASetForEachClaim() {
        List<Claim> claims = List.of(new Claim(api, "k", 2), new Claim(login, "k", 1));
        limiter.tryConsume(api, "another", 1); // so that Redis knows the script

        server.call("CONFIG", "RESETSTAT");
        limiter.tryConsume(claims);
        assertThat(commands()).containsExactly(1L, 1L, 2L, 2L);
        server.call("CONFIG", "RESETSTAT");
        limiter.tryConsume(List.of(new Claim(api, "k", 4), new Claim(login, "k", 1)));
        assertThat(commands()).containsExactly(1L, 1L, 2L, 0L);
        server.call("CONFIG", "RESETSTAT");
        limiter.peek(api, "k", 1);
        assertThat(commands()).containsExactly(1L, 1L, 1L, 0L);
    }

    private static List<Long> commands() {
        return Stream.of("evalsha", "time", "get", "set").map(server::calls).toList();
    }

    @Test
    void comesBackFromAFlushedScriptByOneEval() {
        limiter.tryConsume(api, "k", 1);
        long evals = server.calls("eval");
        server.call("SCRIPT", "FLUSH");

        assertThat(limiter.tryConsume(api, "k", 1).remaining()).isEqualTo(3);
        assertThat(limiter.tryConsume(api, "k", 1).remaining()).isEqualTo(2);

        assertThat(server.calls("eval")).isEqualTo(evals + 1);
        assertThat(degraded).isEmpty();
    }

    @Test
    void showsNothingOfAKeyAndExpiresAndIsSmall() {
        limiter.tryConsume(Policy.of("api", Limit.parse("100/1m")), "alice@example.com", 100);

        assertThat((List<?>) server.call("KEYS", "*")).singleElement().satisfies(key -> {
            assertThat((String) key).matches("app:2:api\\{[A-Za-z0-9_-]{22}}");
            if (RedisProcess.isEmbedded()) { // what a string takes depends on the allocator that a server is built with
                assertThat((Long) server.call("MEMORY", "USAGE", (String) key)).isLessThanOrEqualTo(120);
            }
        });
        assertThat(server.keysWithoutTtl()).isZero();
    }

    @Test
    void expiresASecondAfterTheBucketIsFullOrWouldHaveBeen() {
        Duration token = Duration.ofDays(1).dividedBy(5);
        long start = serverMillis();
        limiter.tryConsume(api, "k", 1);
        requireExpiry(start, token);
        limiter.charge(api, "k", 7);
        requireExpiry(start, token.multipliedBy(8));
        limiter.refund(api, "k", 6);
        requireExpiry(start, token.multipliedBy(8));
        limiter.reset(api, "k");
        requireExpiry(start, token.multipliedBy(8));

        server.call("FLUSHALL");
        start = serverMillis();
        limiter.tryConsume(login, "k", 1); // the slower of its limits decides
        requireExpiry(start, Duration.ofDays(10).dividedBy(3));
    }

    private static long serverMillis() {
        List<?> time = (List<?>) server.call("TIME");
        return Long.parseLong((String) time.get(0)) * 1_000 + Long.parseLong((String) time.get(1)) / 1_000;
    }

    /** Requires of the only key that it expires a second later than a bucket that was first charged at or after {@code start}. */
    private void requireExpiry(long start, Duration full) {
        limiter.peek(api, "another", 1); // is answered after whatever was sent before
        String key = (String) ((List<?>) server.call("KEYS", "*")).get(0);
        long ttl = (Long) server.call("PTTL", key);

        long most = full.plusSeconds(1).toMillis();
        assertThat(ttl).isBetween(most - 1 - (serverMillis() - start), most + 2); // milliseconds are rounded
    }

    @Test
    void leavesItToThePolicyWhatComesOfAnUnreadableValue() {
        for (OnFailure onFailure : OnFailure.values()) {
            try (RedisRateLimiter each =
                    newLimiter().onFailure(policy -> onFailure).build()) {
                each.tryConsume(api, "k", 5);
                String key = (String) ((List<?>) server.call("KEYS", "*")).get(0);
                server.call("SET", key, "mine");
                degraded.clear();

                Decision decision = each.tryConsume(api, "k", 1);

                assertThat(decision.allowed()).isEqualTo(onFailure == OnFailure.ALLOW);
                assertThat(decision.unavailable()).isEqualTo(onFailure == OnFailure.DENY);
                assertThat(degraded).containsExactly("api");
                assertThat(server.call("GET", key)).isEqualTo("mine");
                each.reset(api, "k");
                assertThat(each.tryConsume(api, "k", 5).allowed()).isTrue();
                server.call("FLUSHALL");
            }
        }
    }

    @Test
    void keepsTheInterruptAndLeavesItToThePolicy() {
        for (int i = 0; i < Integer.getInteger("redis.tries", 1_000); i++) {
            Thread.currentThread().interrupt();
            limiter.tryConsume(api, "k", 1);
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(limiter.tryConsume(login, "k", 1).allowed()).isTrue();
    }
}
