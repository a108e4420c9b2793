package dev.ratelimit.spring.web;

import static dev.ratelimit.spring.web.LocalClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.RateLimited;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;

@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = {PlainApplication.class, PolicyModeTest.Beans.class},
        properties = {
            "ratelimit.policies.enforced.key=ip",
            "ratelimit.policies.enforced.limits=5/1m",
            "ratelimit.policies.enforced.paths=/filtered",
            "ratelimit.policies.candidate.key=ip",
            "ratelimit.policies.candidate.limits=2/1m",
            "ratelimit.policies.candidate.paths=/filtered",
            "ratelimit.policies.candidate.mode=shadow",
            "ratelimit.policies.candidate.penalty.after=2",
            "ratelimit.policies.candidate.penalty.within=1m",
            "ratelimit.policies.candidate.penalty.limits=1/1m",
            "ratelimit.policies.candidate.penalty.for=10m",
            "ratelimit.policies.retired.limits=1/1m",
            "ratelimit.policies.retired.key=looked-at",
            "ratelimit.policies.retired.paths=/**",
            "ratelimit.policies.retired.mode=off",
            "ratelimit.policies.annotated.key=ip",
            "ratelimit.policies.annotated.limits=1/1m",
            "ratelimit.policies.annotated.mode=shadow",
            "ratelimit.policies.dear.key=ip",
            "ratelimit.policies.dear.limits=1/1m",
            "ratelimit.policies.dear.mode=shadow",
        })
class PolicyModeTest {
    private final LocalClient client;

    @Autowired
    private ManualClock clock;

    @Autowired
    private RateLimitCounts counts;

    @Autowired
    private Calls calls;

    PolicyModeTest(@LocalServerPort int port) {
        client = new LocalClient(port);
    }

    static class Beans {
        @Bean("looked-at")
        KeyResolver lookedAt() {
            return request -> {
                throw new AssertionError("a policy that is off was looked at");
            };
        }

        @Bean
        Calls calls() {
            return new Calls();
        }
    }

    static class Calls {
        @RateLimited("retired")
        @RateLimited(policy = "annotated", maxWait = "1h", fallback = "instead")
        public String both() {
            return "itself";
        }

        public String instead() {
            return "its fallback";
        }

        @RateLimited(policy = "dear", tokens = "#pages")
        public String dear(String pages) {
            return pages;
        }
    }

    @BeforeEach
    void fillAllBuckets() {
        clock.advance(Duration.ofDays(1));
    }

    @Test
    void countsWhatACandidateWouldHaveDeniedAndDeniesNothing() throws Exception {
        long allowed = counts.count("candidate", Outcome.ALLOWED);
        long denied = counts.count("candidate", Outcome.SHADOW_DENIED);
        for (int left = 4; left >= 0; left--) {
            HttpResponse<String> response = client.get("/filtered");
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "RateLimit-Policy")).isEqualTo("\"enforced\";q=5;w=60");
            assertThat(header(response, "RateLimit")).isEqualTo("\"enforced\";r=" + left + ";t=12");
        }

        assertThat(counts.count("candidate", Outcome.ALLOWED)).isEqualTo(allowed + 2);
        assertThat(counts.count("candidate", Outcome.SHADOW_DENIED)).isEqualTo(denied + 3);
        assertThat(counts.count("candidate", Outcome.DENIED)).isZero();
    }

    @Test
    void decidesOnACandidateApartFromWhatIsEnforced() throws Exception {
        client.allowed(5, "/filtered");
        clock.advance(Duration.ofSeconds(11));
        long denied = counts.count("candidate", Outcome.SHADOW_DENIED);
        HttpResponse<String> response = client.get("/filtered");

        assertThat(response.statusCode()).isEqualTo(429);
        assertThat(header(response, "RateLimit-Policy")).isEqualTo("\"enforced\";q=5;w=60");
        assertThat(response.body()).contains("\"violated-policies\":[\"enforced\"]", "#quota-exceeded");
        assertThat(counts.count("candidate", Outcome.SHADOW_DENIED)).isEqualTo(denied + 1);
    }

    @Test
    void letsACandidateTryItsPenaltyToo() throws Exception {
        long penalized = counts.count("candidate", Outcome.PENALIZED);
        client.allowed(5, "/filtered");

        assertThat(counts.count("candidate", Outcome.PENALIZED)).isEqualTo(penalized + 1);
    }

    @Test
    void neitherDeniesNorDelaysACallUnderACandidate() {
        long start = clock.nanos();
        for (int i = 0; i < 3; i++) {
            assertThat(calls.both()).isEqualTo("itself");
        }

        assertThat(clock.nanos()).isEqualTo(start);
        assertThat(counts.count("annotated", Outcome.SHADOW_DENIED)).isPositive();
    }

    @Test
    void tellsNobodyOfACandidateThatCannotDecide() {
        assertThat(calls.dear("many")).isEqualTo("many");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/annotated", "/never/free"})
    void leavesNoTraceOfACandidateNorOfAPolicyThatIsOff(String path) throws Exception {
        for (int i = 0; i < 3; i++) {
            HttpResponse<String> response = client.get(path);
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.headers().map().keySet()).noneMatch(name -> name.startsWith("ratelimit"));
        }
        assertThat(counts.count("retired", Outcome.ALLOWED)).isZero();
        assertThat(counts.count("retired", Outcome.DENIED)).isZero();
    }
}
