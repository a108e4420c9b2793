package dev.ratelimit.spring.web;

import static dev.ratelimit.spring.web.LocalClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.RateLimitCounts;
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
        classes = {PlainApplication.class, PenaltyTest.Plans.class},
        properties = {
            "ratelimit.local.maximum-keys=10",
            "ratelimit.policies.hammered.limits=3/1m",
            "ratelimit.policies.hammered.key=header:Client",
            "ratelimit.policies.hammered.paths=/filtered",
            "ratelimit.policies.hammered.penalty.after=5 denials",
            "ratelimit.policies.hammered.penalty.within=1m",
            "ratelimit.policies.hammered.penalty.limits=1/1m",
            "ratelimit.policies.hammered.penalty.for=10m",
            "ratelimit.policies.annotated.limits=3/1m",
            "ratelimit.policies.annotated.key=header:Client",
            "ratelimit.policies.annotated.penalty.after=5",
            "ratelimit.policies.annotated.penalty.within=1m",
            "ratelimit.policies.annotated.penalty.limits=1/1m",
            "ratelimit.policies.annotated.penalty.for=10m",
            "ratelimit.policies.planned.plans.daily=3/1m,20/1d",
            "ratelimit.policies.planned.plans.weekly=10/1m,50/7d",
            "ratelimit.policies.planned.key=header:Client",
            "ratelimit.policies.planned.paths=/header",
            "ratelimit.policies.planned.penalty.after=2",
            "ratelimit.policies.planned.penalty.within=1m",
            "ratelimit.policies.planned.penalty.limits=1/1m",
            "ratelimit.policies.planned.penalty.for=10m",
            "ratelimit.policies.slow.limits=20/1h",
            "ratelimit.policies.slow.key=header:Client",
            "ratelimit.policies.slow.paths=/slow",
            "ratelimit.policies.slow.penalty.after=2",
            "ratelimit.policies.slow.penalty.within=1m",
            "ratelimit.policies.slow.penalty.limits=1/3m",
            "ratelimit.policies.slow.penalty.for=10m",
            "ratelimit.policies.banned.limits=3/1m",
            "ratelimit.policies.banned.tokens=2",
            "ratelimit.policies.banned.key=header:Client",
            "ratelimit.policies.banned.paths=/cookie",
            "ratelimit.policies.banned.penalty.after=1",
            "ratelimit.policies.banned.penalty.within=1m",
            "ratelimit.policies.banned.penalty.limits=1/1m",
            "ratelimit.policies.banned.penalty.for=10m",
        })
class PenaltyTest {
    private static final String USUAL = "\"hammered\";q=3;w=60";
    private static final String PENALIZED = "\"hammered\";q=1;w=60";

    private final LocalClient client;

    @Autowired
    private ManualClock clock;

    @Autowired
    private RateLimitCounts counts;

    PenaltyTest(@LocalServerPort int port) {
        client = new LocalClient(port);
    }

    static class Plans {
        @Bean
        PlanResolver plans() {
            return request -> request.getHeader("Plan");
        }
    }

    @BeforeEach
    void fillAllBuckets() {
        clock.advance(Duration.ofDays(7));
    }

    private void hammer(String path, String key) throws Exception {
        assertThat(client.allowed(8, path, "Client", key)).isEqualTo(3);
    }

    private String policy(String key) throws Exception {
        return header(client.get("/filtered", "Client", key), "RateLimit-Policy");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/filtered", "/annotated"})
    void holdsAKeyThatWasDeniedTooOftenToStricterLimits(String path) throws Exception {
        client.allowed(7, path, "Client", "k");
        HttpResponse<String> fifth = client.get(path, "Client", "k");
        assertThat(fifth.statusCode()).isEqualTo(429);
        assertThat(header(fifth, "RateLimit-Policy")).endsWith(";q=3;w=60");
        assertThat(fifth.body()).contains("#quota-exceeded");

        HttpResponse<String> sixth = client.get(path, "Client", "k");
        assertThat(sixth.statusCode()).isEqualTo(429);
        assertThat(header(sixth, "RateLimit-Policy")).endsWith(";q=1;w=60");
        assertThat(header(sixth, "Retry-After")).isEqualTo("60");
        assertThat(sixth.body())
                .contains("#abnormal-usage-detected", "\"violated-policies\":[\"")
                .doesNotContain(".penalty", ".denials");

        clock.advance(Duration.ofMinutes(1).minusNanos(1));
        assertThat(client.allowed(9, path, "Client", "k")).isZero();
        clock.advance(Duration.ofNanos(1));
        assertThat(client.allowed(9, path, "Client", "k")).isEqualTo(1);
    }

    @Test
    void endsThePenaltyAfterItsTermHoweverOftenTheKeyWasDeniedMeanwhile() throws Exception {
        hammer("/filtered", "k");
        for (int minute = 0; minute < 9; minute++) {
            clock.advance(Duration.ofMinutes(1));
            assertThat(client.allowed(9, "/filtered", "Client", "k")).isEqualTo(1);
        }
        clock.advance(Duration.ofMinutes(1).minusNanos(1));
        assertThat(policy("k")).isEqualTo(PENALIZED);

        clock.advance(Duration.ofNanos(1));
        assertThat(policy("k")).isEqualTo(USUAL);
        assertThat(client.allowed(7, "/filtered", "Client", "k")).isEqualTo(2);
        assertThat(policy("k")).isEqualTo(PENALIZED);
    }

    @Test
    void penalizesNobodyElse() throws Exception {
        hammer("/filtered", "k");

        assertThat(policy("other")).isEqualTo(USUAL);
        assertThat(header(client.get("/annotated", "Client", "k"), "RateLimit-Policy"))
                .isEqualTo("\"annotated\";q=3;w=60");
    }

    @Test
    void forgivesDenialsThatDoNotComeTooOften() throws Exception {
        client.allowed(7, "/filtered", "Client", "k");
        for (int i = 0; i < 20; i++) {
            clock.advance(Duration.ofSeconds(12)); // in which one of five denials a minute is forgiven
            client.allowed(1, "/filtered", "Client", "k");
            if (i % 5 > 2) {
                assertThat(policy("k")).isEqualTo(USUAL);
            }
        }
    }

    @Test
    void forgetsNoPenaltyInAFloodOfOthers() throws Exception {
        hammer("/filtered", "first");
        for (int i = 0; i < 100; i++) {
            assertThat(client.allowed(8, "/filtered", "Client", "k" + i))
                    .as("no more than its own, and fewer if it shares what an evicted key owes")
                    .isLessThanOrEqualTo(3);
        }

        assertThat(policy("first")).isEqualTo(PENALIZED);
    }

    @Test
    void leavesTheLimitsThatAreStricterStill() throws Exception {
        for (int day = 0; day < 7; day++) {
            client.allowed(3, "/header", "Client", "k", "Plan", "daily");
            clock.advance(Duration.ofMinutes(1));
        }
        HttpResponse<String> exhausted = client.get("/header", "Client", "k", "Plan", "daily");
        assertThat(exhausted.statusCode()).isEqualTo(429);
        client.get("/header", "Client", "k", "Plan", "daily");

        for (int minute = 0; minute < 9; minute++) {
            clock.advance(Duration.ofMinutes(1));
            HttpResponse<String> response = client.get("/header", "Client", "k", "Plan", "daily");
            assertThat(response.statusCode())
                    .as("the way around the daily limit")
                    .isEqualTo(429);
            assertThat(response.body()).contains("#abnormal-usage-detected");
        }
    }

    @Test
    void givesNobodyABucketAfreshByAPenaltyThatFillsSooner() throws Exception {
        assertThat(client.allowed(60, "/slow", "Client", "k")).isEqualTo(20);
        clock.advance(Duration.ofMinutes(5));
        for (int i = 0; i < 100; i++) {
            client.get("/slow", "Client", "other" + i); // for which the limiter makes room
        }
        clock.advance(Duration.ofMinutes(6));

        assertThat(client.allowed(60, "/slow", "Client", "k")).isLessThanOrEqualTo(3);
    }

    @Test
    void tellsWhenThePenaltyEndsWhereItDeniesAltogether() throws Exception {
        client.allowed(2, "/cookie", "Client", "k");
        HttpResponse<String> denied = client.get("/cookie", "Client", "k");

        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "Retry-After")).isEqualTo("600");
    }

    @Test
    void countsHowOftenKeysCameUnderThePenalty() throws Exception {
        long before = counts.count("hammered", Outcome.PENALIZED);
        hammer("/filtered", "one");
        client.allowed(9, "/filtered", "Client", "one");
        hammer("/filtered", "two");

        assertThat(counts.count("hammered", Outcome.PENALIZED)).isEqualTo(before + 2);
    }
}
