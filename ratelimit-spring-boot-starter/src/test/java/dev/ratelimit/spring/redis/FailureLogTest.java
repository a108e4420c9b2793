package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.redis.RedisStats.Failure;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** What the log says of Redis is what is. */
class FailureLogTest {
    private static final String OPEN = "Redis does not decide, but what policies say under on-failure: ";
    private static final String CLOSED = "Redis did not always decide: ";
    private static final String AGAIN = "Redis decides again, after ";

    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final Policy api = Policy.of("api", Limit.parse("5000/1d"));
    private final RedisProcess server = RedisProcess.start();
    private final LettuceConnectionFactory connections = new LettuceConnectionFactory("127.0.0.1", server.port());
    private RedisRateLimiter limiter;
    private LogLines lines = new LogLines();

    @BeforeEach
    void connect() {
        connections.afterPropertiesSet();
        limiter = newLimiter();
        ask(1);
        for (int i = 0;
                i < 20 && limiter.stats().failures(Failure.UNREACHABLE) > 0;
                i++) { // as a busy machine may be late
            limiter.close();
            limiter = newLimiter();
            ask(1);
        }
        lines.close();
        lines = new LogLines();
    }

    private RedisRateLimiter newLimiter() {
        return RedisRateLimiter.builder(connections)
                .clock(clock)
                .timeout(Duration.ofSeconds(10))
                .build();
    }

    @AfterEach
    void close() {
        lines.close();
        limiter.close();
        connections.destroy();
        server.close();
    }

    private void ask(int times) {
        for (int i = 0; i < times; i++) {
            limiter.tryConsume(api, "k", 1);
        }
    }

    private void refuseWrites(boolean refuse) {
        server.call("CONFIG", "SET", "min-replicas-to-write", refuse ? "1" : "0");
    }

    private void askUntilWell() {
        Awaitility.await().until(() -> {
            clock.advance(Duration.ofSeconds(1));
            ask(1);
            return !limiter.stats().isFailing();
        });
    }

    @Test
    void saysOfAFewFailuresOnlyThatTheyWere() {
        refuseWrites(true);
        ask(1);
        clock.advance(Duration.ofSeconds(30));
        ask(3);
        refuseWrites(false);
        ask(1);
        clock.advance(Duration.ofSeconds(30));
        server.pause();
        Thread.currentThread().interrupt();
        ask(1);
        assertThat(Thread.interrupted()).isTrue();
        server.resume();
        ask(1);

        assertThat(lines.ofLimiter())
                .hasSize(3)
                .allMatch(line -> line.startsWith(CLOSED))
                .satisfiesExactly(
                        line -> assertThat(line).contains("NOREPLICAS").endsWith("since the last such line: 1)"),
                        line -> assertThat(line).contains("NOREPLICAS").endsWith("since the last such line: 1)"),
                        line -> assertThat(line)
                                .contains("InterruptedException")
                                .endsWith("since the last such line: 3)"));
    }

    @Test
    void saysWhenNobodyAsksRedisAndWhenItIsOver() {
        refuseWrites(true);
        ask(20);
        assertThat(limiter.stats().isFailing()).isTrue();
        assertThat(lines.ofLimiter())
                .satisfiesExactly(
                        line -> assertThat(line).startsWith(CLOSED),
                        line -> assertThat(line).startsWith(OPEN).contains("NOREPLICAS"));

        refuseWrites(false);
        askUntilWell();
        assertThat(lines.ofLimiter()).hasSize(3).last().asString().startsWith(AGAIN);
    }

    /** Where the second outage begins within half a minute of the first, no line says so at once. */
    @ParameterizedTest
    @ValueSource(ints = {5, 3_600})
    void saysForHowLongRedisWasAwayAndHowManyDecisionsItDidNotMake(int secondsBetween) {
        Breakers breakers = new Breakers(clock);
        Breaker breaker = breakers.of("");
        FailureLog log = new FailureLog(clock, breakers);
        for (int seconds : new int[] {1, 600}) {
            while (!breakers.failed(breaker, "k")) {
                log.degraded();
            }
            log.opened();
            for (int second = 0; second < seconds; second++) {
                log.degraded();
                clock.advance(Duration.ofSeconds(1));
            }
            breakers.succeeded(breaker);
            log.closed();
            clock.advance(Duration.ofSeconds(secondsBetween));
        }

        assertThat(lines.ofLimiter())
                .filteredOn(line -> line.startsWith(AGAIN))
                .containsExactly(
                        AGAIN + "1 s (decisions without it in that time: 1)",
                        AGAIN + "600 s (decisions without it in that time: 600)");
    }

    @Test
    void saysNothingMoreOftenOfARedisThatComesAndGoes() {
        Breakers breakers = new Breakers(clock);
        Breaker breaker = breakers.of("");
        FailureLog log = new FailureLog(clock, breakers);
        for (int second = 0; second < 60; second++) {
            for (int i = 0; i < 5; i++) {
                log.because(new IllegalStateException("gone"));
                if (breakers.failed(breaker, "k")) {
                    log.opened();
                }
                log.degraded();
            }
            if (breakers.succeeded(breaker)) {
                log.closed();
            }
            clock.advance(Duration.ofSeconds(1));
        }

        assertThat(lines.ofLimiter())
                .hasSize(6)
                .filteredOn(line -> line.startsWith(AGAIN))
                .hasSize(2);
    }

    @Test
    void doesNotSayThatRedisDecidesWhereItMayBeWrittenToButRunsNoScript() {
        server.call("ACL", "SETUSER", "default", "-evalsha", "-eval");
        ask(5);
        for (int probe = 0; probe < 3; probe++) {
            long refused = limiter.stats().failures(Failure.REFUSED);
            clock.advance(Duration.ofSeconds(1));
            ask(1);
            Awaitility.await().until(() -> limiter.stats().failures(Failure.REFUSED) > refused);
            assertThat(limiter.stats().isFailing()).isTrue();
        }
        assertThat(lines.ofLimiter()).noneMatch(line -> line.startsWith(AGAIN));

        server.call("ACL", "SETUSER", "default", "+@all");
        askUntilWell();
    }

    @Test
    void tellsTheLatestCauseWhileNobodyAsks() {
        refuseWrites(true);
        ask(5);
        server.kill();

        Awaitility.await().untilAsserted(() -> {
            clock.advance(Duration.ofSeconds(30));
            ask(1);
            assertThat(lines.ofLimiter()).last().asString().startsWith(OPEN).doesNotContain("NOREPLICAS");
        });
    }
}
