package dev.ratelimit.spring;

import static dev.ratelimit.spring.LimitedApp.denied;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.NanoClock;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RateLimitedWaitTest {
    private final LimitedApp app = new LimitedApp();

    static class Calls {
        @RateLimited(limit = "1/1s", maxWait = "1500ms")
        public void patient() {}

        @RateLimited(limit = "1/1s", maxWait = "500ms")
        public void impatient() {}

        @RateLimited(limit = "10/1s", tokens = "#tokens", maxWait = "1h")
        public void weighted(int tokens) {}

        @RateLimited(limit = "5/1m", maxWait = "2m")
        @RateLimited(limit = "7/1h burst 100", maxWait = "1m")
        public void both() {}
    }

    private static long seconds(long seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }

    @Test
    void waitsForItsTokensAndNoLonger() {
        app.with(Calls.class, calls -> {
            long start = app.clock.nanos();
            calls.patient();
            calls.patient();
            assertThat(app.clock.nanos() - start).isEqualTo(seconds(1));
            calls.patient();
            assertThat(app.clock.nanos() - start).isEqualTo(seconds(2));
        });
    }

    @Test
    void waitsForAllOfItsTokens() {
        app.with(Calls.class, calls -> {
            long start = app.clock.nanos();
            calls.weighted(7);
            calls.weighted(10);
            assertThat(app.clock.nanos() - start)
                    .isEqualTo(Duration.ofMillis(700).toNanos());
            calls.weighted(4);
            assertThat(app.clock.nanos() - start)
                    .isEqualTo(Duration.ofMillis(1100).toNanos());
        });
    }

    @Test
    void isDeniedAtOnceAndChargedNothingWhereTheWaitWouldBeTooLong() {
        app.with(Calls.class, calls -> {
            calls.impatient();
            long start = app.clock.nanos();
            for (int i = 0; i < 10; i++) {
                assertThat(denied(calls::impatient).decisions().get(0).retryAfterNanos())
                        .isEqualTo(seconds(1));
            }
            assertThat(app.clock.nanos()).isEqualTo(start);
            app.clock.advance(Duration.ofSeconds(1));
            calls.impatient();
        });
    }

    @Test
    void isDeniedAtOnceWhereItCanNeverPass() {
        app.with(
                Calls.class,
                calls -> assertThat(denied(() -> calls.weighted(11))
                                .decisions()
                                .get(0)
                                .never())
                        .isTrue());
    }

    @Test
    void waitsAsLongAsTheMostImpatientOfItsLimits() {
        app.with(Calls.class, calls -> {
            for (int i = 0; i < 5; i++) {
                calls.both();
            }
            long start = app.clock.nanos();
            calls.both();
            assertThat(app.clock.nanos() - start).isEqualTo(seconds(12));
        });
    }

    @Test
    void givesItsPlaceBackWhenItIsInterrupted() {
        app.with(Calls.class, calls -> {
            calls.patient();
            Thread.currentThread().interrupt();
            denied(calls::patient);
            assertThat(Thread.interrupted()).isTrue();
            app.clock.advance(Duration.ofSeconds(1));
            long start = app.clock.nanos();
            calls.patient();
            assertThat(app.clock.nanos()).isEqualTo(start);
        });
    }

    /** Time stands still, so no place is given up for want of it: each next caller is told to come a second later. */
    @Test
    void standsInLineAndLetsNobodyInFront() {
        AtomicLong slept = new AtomicLong();
        NanoClock still = new NanoClock() {
            @Override
            public long nanos() {
                return 0;
            }

            @Override
            public void sleep(long nanos) {
                slept.set(nanos);
            }
        };
        LimitedApp.withoutClock()
                .withPropertyValues("ratelimit.policies.line.limits=1/1s")
                .withBean(NanoClock.class, () -> still)
                .withBean(Line.class)
                .run(context -> {
                    Line line = context.getBean(Line.class);
                    line.call();
                    for (int i = 1; i <= 60; i++) {
                        line.call();
                        assertThat(slept).hasValue(seconds(i));
                        assertThat(denied(line::callNow).decisions().get(0).retryAfterNanos())
                                .isEqualTo(seconds(i + 1));
                    }
                    denied(line::call);
                });
    }

    static class Line {
        @RateLimited(value = "line", maxWait = "1m")
        public void call() {}

        @RateLimited("line")
        public void callNow() {}
    }

    @Test
    void doesNotWaitOutAPenalty() {
        app.runner
                .withPropertyValues(
                        "ratelimit.policies.strict.limits=1/1s",
                        "ratelimit.policies.strict.penalty.after=1",
                        "ratelimit.policies.strict.penalty.within=1m",
                        "ratelimit.policies.strict.penalty.limits=1/1m",
                        "ratelimit.policies.strict.penalty.for=10m")
                .withBean(Strict.class)
                .run(context -> {
                    Strict strict = context.getBean(Strict.class);
                    strict.now();
                    denied(strict::now);
                    long start = app.clock.nanos();
                    denied(strict::patient);
                    assertThat(app.clock.nanos()).isEqualTo(start);
                });
    }

    static class Strict {
        @RateLimited("strict")
        public void now() {}

        @RateLimited(value = "strict", maxWait = "1h")
        public void patient() {}
    }

    @Test
    void waitsNoLessForAPolicyThatOnlyLooksOn() {
        app.runner
                .withPropertyValues("ratelimit.policies.shadow.limits=9/1m", "ratelimit.policies.shadow.mode=shadow")
                .withBean(Watched.class)
                .run(context -> {
                    Watched watched = context.getBean(Watched.class);
                    long start = app.clock.nanos();
                    watched.patient();
                    watched.patient();
                    assertThat(app.clock.nanos() - start).isEqualTo(seconds(1));
                });
    }

    static class Watched {
        @RateLimited("shadow")
        @RateLimited(limit = "1/1s", maxWait = "2s")
        public void patient() {}
    }
}
