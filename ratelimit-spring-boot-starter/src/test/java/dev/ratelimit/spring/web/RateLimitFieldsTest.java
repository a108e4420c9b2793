package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyDecision;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.mock.web.MockHttpServletResponse;

class RateLimitFieldsTest {
    private static final long SECOND = 1_000_000_000L;

    private final Limit minute = Limit.parse("5/1m");
    private final Limit hour = Limit.parse("100/1h");
    private final Policy api = Policy.of("api", minute);
    private final Policy web = Policy.of("web", hour);

    private final RateLimitFields ietf = ietf(api);

    private static RateLimitFields ietf(Policy... policies) {
        return RateLimitFields.ietf(new ConfiguredPolicies(
                Stream.of(policies).map(each -> new ConfiguredPolicy(each, 1)).toList()));
    }

    private static String written(RateLimitFields fields, PolicyDecision... decisions) {
        MockHttpServletResponse response = new MockHttpServletResponse();
        fields.write(response, List.of(decisions));
        StringBuilder text = new StringBuilder();
        for (String name : response.getHeaderNames().stream().sorted().toList()) {
            text.append(text.isEmpty() ? "" : " | ").append(name).append(": ").append(response.getHeaders(name));
        }
        return text.toString();
    }

    private static PolicyDecision allowed(Policy policy, long remaining, long resetNanos) {
        return new PolicyDecision(
                policy,
                new Decision(true, remaining, 0, resetNanos, policy.limits().get(0)));
    }

    private static PolicyDecision denied(Policy policy, long remaining, long retryNanos, long resetNanos) {
        return new PolicyDecision(
                policy,
                new Decision(
                        false,
                        remaining,
                        retryNanos,
                        resetNanos,
                        policy.limits().get(0)));
    }

    private static PolicyDecision unavailable(Policy policy) {
        return new PolicyDecision(
                policy, new Decision(false, 0, SECOND, SECOND, policy.limits().get(0), true));
    }

    @Test
    void saysNothingOfWhatIsLeftWhereThatIsNotKnown() {
        assertThat(written(ietf, unavailable(api))).isEqualTo("RateLimit-Policy: [\"api\";q=5;w=60]");
        assertThat(written(ietf, unavailable(api), allowed(web, 7, SECOND)))
                .isEqualTo("RateLimit: [\"web\";r=7;t=1]"
                        + " | RateLimit-Policy: [\"api\";q=5;w=60, \"web\";q=100;w=3600]");

        RateLimitFields older = RateLimitFields.xRateLimit();
        assertThat(written(older, unavailable(api))).isEmpty();
        assertThat(written(older, unavailable(api), allowed(web, 7, SECOND)))
                .isEqualTo(written(older, allowed(web, 7, SECOND)));
    }

    @Test
    void listsPoliciesInTheOrderTheyCameIn() {
        assertThat(written(ietf, allowed(web, 7, SECOND), denied(api, 0, SECOND + 1, 12 * SECOND)))
                .isEqualTo("RateLimit: [\"web\";r=7;t=1, \"api\";r=0;t=2]"
                        + " | RateLimit-Policy: [\"web\";q=100;w=3600, \"api\";q=5;w=60]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "100/1m, 50/1m          | \"x-60\";q=100;w=60, \"x-60-2\";q=50;w=60",
                "10/1s burst 2, 1/1s    | \"x-1\";q=2;w=1, \"x-1-2\";q=1;w=1",
                "100/1m, 1/1s, 5000/1d  | \"x-60\";q=100;w=60, \"x-1\";q=1;w=1, \"x-86400\";q=5000;w=86400"
            })
    void givesEachOfSeveralLimitsANameOfItsOwn(String limits, String field) {
        Policy policy = new Policy(
                "x", List.of(limits.split(",")).stream().map(Limit::parse).toList());

        for (RateLimitFields fields : List.of(ietf, ietf(policy))) {
            assertThat(written(fields, allowed(policy, 1, 0))).endsWith("RateLimit-Policy: [" + field + "]");
        }
    }

    @Test
    void writesTheLargestNumbersInFifteenDigits() {
        Limit huge = new Limit(Long.MAX_VALUE / 4, 1_000_000_000, Duration.ofSeconds(1));

        assertThat(written(ietf, allowed(new Policy("huge", List.of(huge)), Long.MAX_VALUE / 4, 0)))
                .contains(";r=999999999999999;t=0")
                .contains(";q=999999999999999;w=");
    }

    @Test
    void quotesWhatANameMayHold() {
        assertThat(written(ietf, allowed(Policy.of("a \"b\\\" \u00fc\r\nX: 1", minute), 1, 0)))
                .contains("RateLimit: [\"a \\\"b\\\\\\\" ???X: 1\";r=1;t=0]");
    }

    @Test
    void namesTheLimitOfALimiterThatDecidesByOneOfItsOwn() {
        assertThat(written(ietf, new PolicyDecision(api, new Decision(true, 3, 0, SECOND, hour))))
                .contains("RateLimit: [\"api\";r=3;t=1]");
    }

    @Test
    void tellsOfTheLimitThatIsClosestToExhaustionWhereThereIsRoomForOne() {
        RateLimitFields fields = RateLimitFields.xRateLimit();

        assertThat(written(fields, allowed(web, 7, SECOND), allowed(api, 3, 24 * SECOND)))
                .isEqualTo("X-RateLimit-Limit: [5] | X-RateLimit-Remaining: [3] | X-RateLimit-Reset: [24]");
        assertThat(written(fields, denied(web, 3, SECOND, SECOND * 59 + 1), allowed(api, 0, 24 * SECOND)))
                .isEqualTo("X-RateLimit-Limit: [100] | X-RateLimit-Remaining: [3] | X-RateLimit-Reset: [60]");
        assertThat(written(fields, allowed(api, 0, 0), allowed(web, 0, SECOND)))
                .isEqualTo("X-RateLimit-Limit: [100] | X-RateLimit-Remaining: [0] | X-RateLimit-Reset: [1]");
    }

    @Test
    void writesNothingWhereNothingIsToBeSaid() {
        assertThat(written(RateLimitFields.NONE, allowed(api, 1, 0))).isEmpty();
    }

    /** The grammar of the draft, as far as we use it. */
    @Test
    void keepsToTheGrammarWhateverIsDecided() {
        Pattern state = Pattern.compile("\"[a-z0-9-]+\";r=\\d{1,15};t=\\d{1,15}");
        Pattern policy = Pattern.compile("\"[a-z0-9-]+\";q=\\d{1,15};w=[1-9]\\d{0,14}");
        Random random = new Random(42);
        for (int i = 0; i < 100_000; i++) {
            long bits = random.nextLong() >>> random.nextInt(1, 64);
            Limit limit =
                    new Limit(1 + (bits & 0xffff), 1 + random.nextInt(1000), Duration.ofNanos(1_000 + (bits >>> 24)));
            Decision decision = random.nextBoolean()
                    ? new Decision(true, bits, 0, bits, limit)
                    : new Decision(false, 0, Math.max(1, bits), bits, limit);
            MockHttpServletResponse response = new MockHttpServletResponse();
            ietf().write(response, List.of(new PolicyDecision(Policy.of("p", limit), decision)));

            assertThat(response.getHeader("RateLimit")).matches(state);
            assertThat(response.getHeader("RateLimit-Policy")).matches(policy);
            if (!decision.allowed()) {
                long wait = decision.retryAfterNanos();
                long told = Seconds.retryAfter(decision);
                assertThat(told).isPositive();
                assertThat(told - 1).isLessThanOrEqualTo(wait / SECOND);
                assertThat(told).isGreaterThanOrEqualTo(wait / SECOND + (wait % SECOND == 0 ? 0 : 1));
            }
        }
    }
}
