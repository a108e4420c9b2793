package dev.ratelimit.spring.web;

import static dev.ratelimit.spring.web.LocalClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.AbsentLimiter;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;

/** What a client is told when the limiter cannot be asked, and a policy denies then. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = {PlainApplication.class, UnavailableTest.Limiter.class},
        properties = {
            "ratelimit.policies.filtered.limits=5/1m",
            "ratelimit.policies.filtered.paths=/filtered, /both",
            "ratelimit.policies.filtered.penalty.after=2",
            "ratelimit.policies.filtered.penalty.within=1m",
            "ratelimit.policies.filtered.penalty.limits=1/1m",
            "ratelimit.policies.filtered.penalty.for=10m",
            "ratelimit.policies.known.limits=2/1m",
            "ratelimit.policies.known.paths=/both",
            "ratelimit.policies.annotated.limits=5/1m",
            "ratelimit.policies.candidate.limits=5/1m",
            "ratelimit.policies.candidate.paths=/**",
            "ratelimit.policies.candidate.mode=shadow",
        })
class UnavailableTest {
    private final LocalClient client;

    @Autowired
    private AbsentLimiter limiter;

    @Autowired
    private RateLimitCounts counts;

    @Autowired
    private ManualClock clock;

    UnavailableTest(@LocalServerPort int port) {
        client = new LocalClient(port);
    }

    static class Limiter {
        @Bean
        AbsentLimiter limiter(ManualClock clock) {
            return new AbsentLimiter(clock);
        }
    }

    @BeforeEach
    void allIsWell() {
        clock.advance(Duration.ofDays(1));
        List.of("filtered", "annotated", "candidate").forEach(limiter::comeBack);
    }

    @ParameterizedTest
    @ValueSource(strings = {"filtered", "annotated"})
    void isAServersFaultByEveryDoor(String policy) throws Exception {
        limiter.leave(policy);
        HttpResponse<String> answer = client.get("/" + policy + "?a=1");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(header(answer, "Content-Type")).isEqualTo("application/problem+json");
        assertThat(header(answer, "Retry-After")).isEqualTo("2");
        assertThat(header(answer, "Cache-Control")).isEqualTo("no-store");
        assertThat(answer.body())
                .isEqualTo("{\"type\":\"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity\","
                        + "\"title\":\"Request cannot be satisfied due to temporary server capacity constraints\","
                        + "\"status\":503,\"detail\":\"Try again in 2 seconds.\",\"instance\":\"/" + policy + "\","
                        + "\"violated-policies\":[\"" + policy + "\"]}");
    }

    @Test
    void tellsWhatIsLeftOnlyWhereThatIsKnown() throws Exception {
        limiter.leave("filtered");
        HttpResponse<String> alone = client.get("/filtered");
        assertThat(header(alone, "RateLimit-Policy")).isEqualTo("\"filtered\";q=5;w=60");
        assertThat(header(alone, "RateLimit")).isEmpty();

        HttpResponse<String> both = client.get("/both");
        assertThat(both.statusCode()).isEqualTo(503);
        assertThat(header(both, "RateLimit-Policy")).isEqualTo("\"filtered\";q=5;w=60, \"known\";q=2;w=60");
        assertThat(header(both, "RateLimit")).startsWith("\"known\";r=2;");
    }

    @Test
    void showsABrowserAPage() throws Exception {
        limiter.leave("filtered");
        HttpResponse<String> answer = client.get("/filtered", "Accept", "text/html");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(header(answer, "Retry-After")).isEqualTo("2");
        assertThat(answer.body())
                .contains("<h1>Temporarily unavailable</h1>", "Try again in 2 seconds.")
                .doesNotContain("many");
    }

    @Test
    void isTheClientsFaultIfAnotherLimitIsKnownToBeExceeded() throws Exception {
        client.get("/both");
        client.get("/both");
        limiter.leave("filtered");
        HttpResponse<String> answer = client.get("/both");

        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(header(answer, "Retry-After")).isEqualTo("30");
        assertThat(answer.body()).contains("#quota-exceeded", "\"violated-policies\":[\"known\"]");
    }

    @Test
    void isNotSeenOfAPolicyThatOnlyLooksOn() throws Exception {
        limiter.leave("candidate");

        assertThat(client.get("/filtered").statusCode()).isEqualTo(200);
        assertThat(counts.count("candidate", Outcome.SHADOW_DENIED)).isZero();
    }

    @Test
    void isNotHeldAgainstTheClient() throws Exception {
        long before = counts.count("filtered", Outcome.DENIED);
        limiter.leave("filtered");
        for (int i = 0; i < 9; i++) {
            assertThat(client.get("/filtered").statusCode()).isEqualTo(503);
        }
        limiter.comeBack("filtered");

        assertThat(header(client.get("/filtered"), "RateLimit-Policy")).isEqualTo("\"filtered\";q=5;w=60");
        assertThat(counts.count("filtered", Outcome.DENIED)).isEqualTo(before);
        assertThat(counts.count("filtered", Outcome.PENALIZED)).isZero();
    }

    @Test
    void isNoDenialOfAMethod() throws Exception {
        limiter.leave("annotated");
        assertThat(client.get("/annotated").statusCode()).isEqualTo(503);

        assertThat(counts.count("annotated", Outcome.DENIED)).isZero();
    }
}
