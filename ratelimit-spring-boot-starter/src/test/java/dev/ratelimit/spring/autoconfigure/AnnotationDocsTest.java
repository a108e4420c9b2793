package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.ratelimit.ManualClock;
import dev.ratelimit.NanoClock;
import dev.ratelimit.spring.RateLimitCharges;
import dev.ratelimit.spring.RateLimitExceededException;
import dev.ratelimit.spring.autoconfigure.AnnotationSnippets.Assistant;
import dev.ratelimit.spring.autoconfigure.AnnotationSnippets.Jobs;
import dev.ratelimit.spring.autoconfigure.AnnotationSnippets.Report;
import dev.ratelimit.spring.autoconfigure.AnnotationSnippets.Reports;
import dev.ratelimit.spring.autoconfigure.AnnotationSnippets.Services;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.ContextConsumer;
import org.springframework.context.annotation.Configuration;
import org.springframework.scheduling.annotation.EnableAsync;
import reactor.core.publisher.Mono;

/** Runs what docs/annotation.md shows. */
class AnnotationDocsTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());

    @Configuration(proxyBeanMethods = false)
    @EnableAsync
    static class Application {}

    private void run(ContextConsumer<AssertableApplicationContext> test) {
        ApplicationContextRunner app = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(RateLimitAutoConfiguration.class))
                .withUserConfiguration(Application.class)
                .withBean(NanoClock.class, () -> clock)
                .withBean(Reports.class)
                .withBean(Services.class)
                .withBean(Assistant.class)
                .withBean(Jobs.class);
        for (Docs.Block yaml : Docs.blocks("docs/annotation.md", "yaml")) {
            app = app.withInitializer(yaml.asConfiguration());
        }
        app.run(test);
    }

    private static RateLimitExceededException denied(ThrowingCallable call) {
        RateLimitExceededException denied = catchThrowableOfType(RateLimitExceededException.class, call);
        assertThat(denied).isNotNull();
        return denied;
    }

    @Test
    void eachTenantHasABucket() {
        run(context -> {
            Reports reports = context.getBean(Reports.class);
            for (int i = 0; i < 5; i++) {
                assertThat(AnnotationSnippets.call(reports, "acme")).isEqualTo("the latest report of acme");
            }
            assertThat(AnnotationSnippets.call(reports, "acme")).isEqualTo("[Reports.latest] ask to wait PT12S");
            assertThat(reports.latest("globex")).isEqualTo("the latest report of globex");
        });
    }

    @Test
    void aCallCostsWhatItsArgumentsSay() {
        run(context -> {
            Reports reports = context.getBean(Reports.class);
            assertThat(reports.export("acme", new Report(8))).isEqualTo("8 pages for acme");
            assertThat(denied(() -> reports.export("acme", new Report(4))).policies())
                    .containsExactly("export");
            assertThat(reports.export("acme", new Report(-2))).isEqualTo("-2 pages for acme");
            denied(() -> reports.export("acme", new Report(2)));

            assertThat(reports.print("acme", 4)).isEqualTo("4 pages");
            denied(() -> reports.print("acme", 2));
        });
    }

    @Test
    void severalLimitsHoldTogether() {
        run(context -> {
            Reports reports = context.getBean(Reports.class);
            for (String tenant : List.of("a", "b", "c", "d")) {
                for (int i = 0; i < 5; i++) {
                    reports.yearly(tenant);
                }
            }
            assertThat(denied(() -> reports.yearly("a")).policies()).containsExactly("Reports.yearly", "reports");
            assertThat(denied(() -> reports.yearly("e")).policies()).containsExactly("reports");
        });
    }

    @Test
    void aCallWaitsForItsTurn() {
        run(context -> {
            Services services = context.getBean(Services.class);
            long start = clock.nanos();
            for (int i = 0; i < 3; i++) {
                assertThat(services.translate("traditore")).isEqualTo("traduttore, traditore");
            }
            assertThat(Duration.ofNanos(clock.nanos() - start)).isEqualTo(Duration.ofSeconds(2));
        });
    }

    @Test
    void aFallbackStandsIn() {
        run(context -> {
            Services services = context.getBean(Services.class);
            assertThat(services.weather("Rome")).isEqualTo("sunny");
            assertThat(services.weather("Rome")).isEqualTo("sunny, new in 60 s");
        });
    }

    @Test
    void whatWasNotUsedIsGivenBackAndWhatWasUsedBeyondIsOwed() {
        run(context -> {
            Assistant assistant = context.getBean(Assistant.class);
            for (int i = 0; i < 60; i++) {
                assertThatExceptionOfType(IllegalStateException.class)
                        .isThrownBy(() -> assistant.ask("acme", " ".repeat(20), RateLimitCharges.NONE));
            }
            for (int i = 0; i < 17; i++) {
                assertThat(AnnotationSnippets.callWithCharges(assistant)).isEqualTo(40);
            }
            RateLimitExceededException denied = denied(() -> AnnotationSnippets.callWithCharges(assistant));
            assertThat(Duration.ofNanos(denied.decisions().get(0).retryAfterNanos()))
                    .isEqualTo(Duration.ofMillis(3_600 * (20 + 17 * 60 - 1_000)));
        });
    }

    @Test
    void aMonoIsDecidedOnAtEachSubscription() {
        run(context -> {
            Mono<String> quote = context.getBean(Services.class).quote("ACME");
            assertThat(quote.block()).isEqualTo("ACME 42");
            assertThat(quote.block()).isEqualTo("ACME 42");
            denied(quote::block);
            clock.advance(Duration.ofMillis(500));
            assertThat(quote.block()).isEqualTo("ACME 42");
        });
    }

    @Test
    void anAsynchronousCallIsDeniedByItsFuture() {
        run(context -> {
            Jobs jobs = context.getBean(Jobs.class);
            assertThat(jobs.mail("acme").get(10, TimeUnit.SECONDS)).isEqualTo("sent to acme");
            assertThat(jobs.mail("acme"))
                    .failsWithin(Duration.ofSeconds(10))
                    .withThrowableOfType(ExecutionException.class)
                    .withCauseInstanceOf(RateLimitExceededException.class);
        });
    }

    @Test
    void aCallThatReturnsNothingIsLeftOutByItsFallback() {
        run(context -> {
            Jobs jobs = context.getBean(Jobs.class);
            for (int i = 0; i < 200; i++) {
                jobs.poll();
            }
            assertThat(jobs.polls()).isEqualTo(100);
        });
    }
}
