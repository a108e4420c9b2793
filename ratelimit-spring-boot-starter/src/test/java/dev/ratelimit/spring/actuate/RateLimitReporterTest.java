package dev.ratelimit.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.RateLimitDeniedEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.server.context.WebServerApplicationContext;

@ExtendWith(OutputCaptureExtension.class)
class RateLimitReporterTest {
    private final Policy api = Policy.of("api", Limit.parse("5/1d"));
    private final Policy login = Policy.of("login", Limit.parse("2/1d"));
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final ConfiguredPolicies policies =
            new ConfiguredPolicies(List.of(new ConfiguredPolicy(api, 1), new ConfiguredPolicy(login, 1)));
    private final RateLimitCounts counts = new RateLimitCounts(policies);
    private final PolicyLimiter limiter =
            new PolicyLimiter(LocalRateLimiter.builder().clock(clock).build(), policies, counts);
    private final List<Object> events = new ArrayList<>();
    private final RateLimitReporter reporter = new RateLimitReporter(policies, counts, null, events::add, clock);

    private void ask(Policy policy, int times) {
        for (int i = 0; i < times; i++) {
            limiter.decide(policy, "203.0.113.7", 1);
        }
    }

    private void reportAfter(Duration duration) {
        clock.advance(duration);
        reporter.report();
    }

    @Test
    void reportsAllDenialsOfAPolicyByOneEvent() {
        ask(api, 8);
        ask(login, 2);
        reporter.report();
        assertThat(events).containsExactly(new RateLimitDeniedEvent("api", 3));

        ask(login, 4);
        reporter.report();
        assertThat(events).last().isEqualTo(new RateLimitDeniedEvent("login", 4));

        reporter.report();
        assertThat(events).hasSize(2);
    }

    @Test
    void writesOneLineAMinuteAboutAMillionDenials(CapturedOutput output) {
        ask(api, 5);
        for (int second = 0; second < 120; second++) {
            ask(api, 8_334);
            ask(login, 10);
            reportAfter(Duration.ofSeconds(1));
        }
        reportAfter(Duration.ofMinutes(1));

        assertThat(lines(output))
                .hasSize(6)
                .anyMatch(line -> line.contains("INFO") && line.endsWith("Policy api denied 8334 more, 8334 in all"))
                .anyMatch(line -> line.endsWith("Policy api denied 500040 more, 508374 in all"))
                .anyMatch(line -> line.endsWith("Policy api denied 491706 more, 1000080 in all"))
                .noneMatch(line -> line.contains("203.0.113.7"));
        assertThat(events).hasSize(240);
    }

    @Test
    void writesNothingAboutWhatIsAllowed(CapturedOutput output) {
        ask(api, 5);
        reporter.report();

        assertThat(lines(output)).isEmpty();
        assertThat(events).isEmpty();
    }

    @Test
    void writesAtOnceAfterAQuietMinute(CapturedOutput output) {
        ask(api, 6);
        reporter.report();
        ask(api, 1);
        reportAfter(Duration.ofSeconds(59));
        assertThat(lines(output)).hasSize(1);

        reportAfter(Duration.ofSeconds(1));
        assertThat(lines(output)).hasSize(2);
        reportAfter(Duration.ofHours(1));
        ask(api, 1);
        reporter.report();
        assertThat(lines(output)).hasSize(3);
    }

    @Test
    void goesOnAfterAListenerThatThrowsAndSaysSoOnce(CapturedOutput output) {
        RateLimitReporter fragile = new RateLimitReporter(
                policies,
                counts,
                null,
                event -> {
                    events.add(event);
                    throw new AssertionError("listener");
                },
                clock);
        ask(api, 6);
        ask(login, 3);
        fragile.report();
        ask(api, 1);
        fragile.report();

        assertThat(events).hasSize(3);
        assertThat(output.getAll().lines().filter(line -> line.contains("listener to")))
                .hasSize(1);
    }

    @Test
    void writesWhatIsLeftWhenItStopsAfterTheWebServer(CapturedOutput output) {
        ask(api, 6);
        reporter.report();
        ask(api, 3);
        reporter.start();
        reporter.stop();

        assertThat(lines(output)).last().asString().endsWith("Policy api denied 3 more, 4 in all");
        assertThat(events).last().isEqualTo(new RateLimitDeniedEvent("api", 3));
        assertThat(reporter.getPhase()).isLessThan(WebServerApplicationContext.START_STOP_LIFECYCLE_PHASE);
    }

    @Test
    void waitsForAReportUnderWayWhenItStops() throws InterruptedException {
        CountDownLatch entered = new CountDownLatch(1);
        AtomicReference<RateLimitReporter> slow = new AtomicReference<>();
        slow.set(new RateLimitReporter(
                policies,
                counts,
                null,
                event -> {
                    entered.countDown();
                    while (slow.get().isRunning()) {
                        Thread.onSpinWait();
                    }
                    events.add(Thread.currentThread().isInterrupted());
                },
                clock));
        ask(api, 6);
        slow.get().start();
        assertThat(entered.await(1, TimeUnit.MINUTES)).isTrue();
        slow.get().stop();

        assertThat(events).containsExactly(false);
    }

    private static List<String> lines(CapturedOutput output) {
        return output.getAll().lines().filter(line -> line.contains("Policy ")).toList();
    }
}
