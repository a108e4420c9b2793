package dev.ratelimit.spring;

import static dev.ratelimit.spring.LimitedApp.denied;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ratelimit.Claim;
import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RateLimitCountsTest {
    private final LimitedApp app = new LimitedApp();
    private final Policy api = Policy.of("api", Limit.parse("10/1m"));
    private final Policy day = Policy.of("day", Limit.parse("100/1d"));
    private final Policy unknown = Policy.of("unknown", Limit.parse("10/1m"));
    private final ConfiguredPolicies policies =
            new ConfiguredPolicies(List.of(new ConfiguredPolicy(api, 1), new ConfiguredPolicy(day, 1)));
    private final RateLimitCounts counts = new RateLimitCounts(policies);
    private final PolicyLimiter limiter = new PolicyLimiter(
            LocalRateLimiter.builder()
                    .clock(new ManualClock(ThreadLocalRandom.current().nextLong()))
                    .build(),
            policies,
            counts);

    static class Calls {
        @RateLimited("dear")
        public void call() {}

        @RateLimited(policy = "dear", tokens = "2")
        @RateLimited(limit = "100/1m")
        public void dear() {}

        @RateLimited(policy = "dear", maxWait = "1h")
        public void patient() {}
    }

    @Test
    void countsTheTokensThatAreCharged() {
        limiter.decide(api, "k", 7);
        limiter.decide(api, "k", 4);

        assertThat(counts.charged("api")).isEqualTo(7);
        assertThat(counts.count("api", Outcome.DENIED)).isEqualTo(1);
    }

    @Test
    void countsNoTokensWhereOneOfSeveralPoliciesDenies() {
        limiter.decide(List.of(new Claim(api, "k", 9), new Claim(day, "k", 9)));
        limiter.decide(List.of(new Claim(day, "k", 9), new Claim(api, "k", 9)));

        assertThat(counts.charged("api")).isEqualTo(9);
        assertThat(counts.charged("day")).isEqualTo(9);
        assertThat(counts.count("day", Outcome.ALLOWED)).isEqualTo(2);
    }

    @Test
    void countsWhatIsCorrectedAsChargedOrRefunded() {
        limiter.decide(api, "k", 5);
        limiter.correct(api, "k", 3);
        limiter.correct(api, "k", -2);
        limiter.correct(api, "k", 0);

        assertThat(counts.charged("api")).isEqualTo(8);
        assertThat(counts.refunded("api")).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"10/1m, 8, 0", "10/1m, 9, 1", "4/1m, 3, 0", "4/1m, 4, 1", "1/1m, 1, 1", "11/1m, 8, 0", "11/1m, 9, 1"})
    void tellsWhatLeavesLessThanAFifth(String limit, long tokens, long near) {
        limiter.decide(Policy.of("api", Limit.parse(limit)), "k", tokens);

        assertThat(counts.count("api", Outcome.ALLOWED)).isEqualTo(1);
        assertThat(counts.count("api", Outcome.NEAR_LIMIT)).isEqualTo(near);
    }

    @Test
    void knowsNoPolicyButThoseOfTheConfiguration() {
        limiter.decide(unknown, "k", 5);
        limiter.correct(unknown, "k", 3);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> counts.charged("unknown"))
                .withMessageStartingWith("no policy is named \"unknown\"; there are: ");
        assertThatIllegalArgumentException().isThrownBy(() -> counts.refunded("unknown"));
        assertThatIllegalArgumentException().isThrownBy(() -> counts.count("unknown", Outcome.ALLOWED));
    }

    @Test
    void countsWhatIsGivenBackByACallThatWaitsNoLonger() {
        app.runner.withBean(Calls.class).run(context -> {
            Calls calls = context.getBean(Calls.class);
            calls.patient();
            calls.patient();
            Thread.currentThread().interrupt();
            denied(calls::patient);
            assertThat(Thread.interrupted()).isTrue();

            RateLimitCounts ofCalls = context.getBean(RateLimitCounts.class);
            assertThat(ofCalls.charged("dear")).isEqualTo(12);
            assertThat(ofCalls.refunded("dear")).isEqualTo(4);
        });
    }

    @Test
    void countsCallsOfMethods() {
        app.runner.withBean(Calls.class).run(context -> {
            context.getBean(Calls.class).call();
            context.getBean(Calls.class).dear();

            RateLimitCounts ofCalls = context.getBean(RateLimitCounts.class);
            assertThat(ofCalls.count("dear", Outcome.ALLOWED)).isEqualTo(2);
            assertThat(ofCalls.charged("dear")).isEqualTo(6);
        });
    }
}
