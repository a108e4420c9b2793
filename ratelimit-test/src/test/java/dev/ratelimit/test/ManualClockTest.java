package dev.ratelimit.test;

import static dev.ratelimit.test.RateLimitAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.RateLimitExceededException;
import dev.ratelimit.test.TestApplication.Reports;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.test.web.servlet.assertj.MockMvcTester;

/** All that takes time in an application takes that of its clock. */
@SpringBootTest(
        properties = {
            "ratelimit.policies.api.limits=2/1m",
            "ratelimit.policies.api.paths=/filtered",
            "ratelimit.policies.login.limits=1/1h",
            "ratelimit.policies.login.paths=/login",
            "ratelimit.policies.login.charge-on=401",
            "ratelimit.policies.hammered.limits=1/1s",
            "ratelimit.policies.hammered.paths=/penalized",
            "ratelimit.policies.hammered.penalty.after=2",
            "ratelimit.policies.hammered.penalty.within=1m",
            "ratelimit.policies.hammered.penalty.limits=1/1m",
            "ratelimit.policies.hammered.penalty.for=10m"
        })
@AutoConfigureMockMvc
class ManualClockTest {

    @Autowired
    private ManualClock clock;

    @Autowired
    private MockMvcTester mvc;

    @Autowired
    private Reports reports;

    private HttpAnswerAssert get(String uri) {
        return assertThat(mvc.get().uri(uri));
    }

    private void pass(long nanos) {
        clock.advance(Duration.ofNanos(nanos));
    }

    @Test
    void theFilterAllowsExactlyWhenItSaid() {
        get("/filtered").isAllowed().remaining(1);
        get("/filtered").isAllowed().remaining(0);
        get("/filtered").isRateLimited().retryAfter(30).violates("api");

        pass(30_000_000_000L - 1);
        get("/filtered").isRateLimited().retryAfter(1);
        pass(1);
        get("/filtered").isAllowed();
    }

    @Test
    void anAnnotatedMethodIsAllowedExactlyWhenItWasTold() {
        reports.latest("acme");
        reports.latest("acme");
        assertThatExceptionOfType(RateLimitExceededException.class)
                .isThrownBy(() -> reports.latest("acme"))
                .satisfies(denied ->
                        assertThat(denied.decisions().get(0)).isRateLimited().retryAfter(30));

        pass(30_000_000_000L - 1);
        assertThatExceptionOfType(RateLimitExceededException.class).isThrownBy(() -> reports.latest("acme"));
        pass(1);
        assertThat(reports.latest("acme")).isEqualTo("latest");
    }

    @Test
    void whoWaitsForTokensWaitsOnThatClock() {
        long realStart = System.nanoTime();
        long start = clock.nanos();
        for (int i = 0; i < 12; i++) {
            assertThat(reports.patient()).isEqualTo("patient");
        }

        assertThat(clock.nanos() - start).isEqualTo(Duration.ofMinutes(5).toNanos());
        assertThat(System.nanoTime() - realStart)
                .isLessThan(Duration.ofMinutes(1).toNanos());
    }

    @Test
    void aPenaltyBeginsAndEndsOnThatClock() {
        get("/penalized").isAllowed();
        get("/penalized").isRateLimited().retryAfter(1);
        get("/penalized").isRateLimited().retryAfter(1);
        get("/penalized").isRateLimited().retryAfter(60);
        pass(Duration.ofMinutes(1).toNanos());
        get("/penalized").isAllowed();
        pass(Duration.ofSeconds(1).toNanos());
        get("/penalized").isRateLimited().retryAfter(59);

        pass(Duration.ofMinutes(10).toNanos());
        get("/penalized").isAllowed();
        pass(Duration.ofSeconds(1).toNanos());
        get("/penalized").isAllowed();
    }

    @Test
    void onlyTheStatusesThatAreChargedCount() {
        for (int i = 0; i < 3; i++) {
            get("/login?password=right").isAllowed();
        }
        get("/login?password=wrong").isAllowed();
        get("/login?password=right").isRateLimited().retryAfter(3600);

        pass(Duration.ofHours(1).toNanos());
        get("/login?password=right").isAllowed();
    }
}
