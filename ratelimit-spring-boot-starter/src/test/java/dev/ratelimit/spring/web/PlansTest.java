package dev.ratelimit.spring.web;

import static dev.ratelimit.spring.web.LocalClient.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.RateLimitCounts;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;

@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = {PlainApplication.class, PlansTest.Plans.class},
        properties = {
            "ratelimit.policies.planned.plans.free=5/1m",
            "ratelimit.policies.planned.plans.pro=50/1m",
            "ratelimit.policies.planned.plans.daily=50/1m,100/1d",
            "ratelimit.policies.planned.key=header:Client",
            "ratelimit.policies.planned.paths=/filtered",
            "ratelimit.policies.annotated.plans.free=5/1m",
            "ratelimit.policies.annotated.plans.pro=10/1m",
            "ratelimit.policies.annotated.key=header:Client",
        })
class PlansTest {
    private final LocalClient client;

    @Autowired
    private ManualClock clock;

    @Autowired
    private RateLimitCounts counts;

    PlansTest(@LocalServerPort int port) {
        client = new LocalClient(port);
    }

    static class Plans {
        @Bean
        PlanResolver plans() {
            return request -> {
                String plan = request.getHeader("Plan");
                if ("broken".equals(plan)) {
                    throw new IllegalStateException("no plans today");
                }
                return plan;
            };
        }
    }

    @BeforeEach
    void fillAllBuckets() {
        clock.advance(Duration.ofDays(7));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "free | 5 | \"planned\";q=5;w=60",
                "pro | 50 | \"planned\";q=50;w=60",
                "daily | 50 | \"planned-60\";q=50;w=60, \"planned-86400\";q=100;w=86400"
            })
    void holdsAClientToTheLimitsOfItsPlan(String plan, int tokens, String policy) throws Exception {
        HttpResponse<String> first = client.get("/filtered", "Client", plan, "Plan", plan);

        assertThat(header(first, "RateLimit-Policy")).isEqualTo(policy);
        assertThat(client.allowed(60, "/filtered", "Client", plan, "Plan", plan))
                .isEqualTo(tokens - 1);
        HttpResponse<String> denied = client.get("/filtered", "Client", plan, "Plan", plan);
        assertThat(header(denied, "RateLimit-Policy")).isEqualTo(policy);
        assertThat(denied.body()).contains("\"violated-policies\":[\"planned\"]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"platinum", "FREE", "broken", ""})
    void holdsAClientOfUnknownPlanToWhatNoPlanWouldDeny(String plan) throws Exception {
        long unknown = counts.count("planned", Outcome.UNKNOWN_PLAN);

        HttpResponse<String> first = client.get("/filtered", "Client", "u" + plan, "Plan", plan);

        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(header(first, "RateLimit-Policy"))
                .isEqualTo("\"planned-60\";q=5;w=60, \"planned-86400\";q=100;w=86400");
        assertThat(client.allowed(9, "/filtered", "Client", "u" + plan, "Plan", plan))
                .isEqualTo(4);
        assertThat(counts.count("planned", Outcome.UNKNOWN_PLAN)).isEqualTo(unknown + 10);
    }

    @Test
    void holdsAClientWithoutAPlanToThePlanThatIsStricterInEveryRespect() throws Exception {
        assertThat(header(client.get("/annotated", "Client", "nobody"), "RateLimit-Policy"))
                .isEqualTo("\"annotated\";q=5;w=60");
    }

    @Test
    void keepsWhatAClientHadWhenItsPlanChanges() throws Exception {
        assertThat(client.allowed(9, "/filtered", "Client", "c", "Plan", "free"))
                .isEqualTo(5);
        assertThat(client.get("/filtered", "Client", "c", "Plan", "pro").statusCode())
                .isEqualTo(429);

        clock.advance(Duration.ofSeconds(6));
        assertThat(client.allowed(9, "/filtered", "Client", "c", "Plan", "pro")).isEqualTo(5);
    }

    @Test
    void givesNoFreeBurstHoweverOftenAPlanChanges() throws Exception {
        int allowed = 0;
        for (int i = 0; i < 40; i++) {
            allowed += client.allowed(2, "/filtered", "Client", "flip", "Plan", "pro");
            allowed += client.allowed(2, "/filtered", "Client", "flip", "Plan", "daily");
            allowed += client.allowed(2, "/filtered", "Client", "flip", "Plan", "free");
        }

        assertThat(allowed).as("tokens, with the clock at rest").isLessThanOrEqualTo(50);
    }

    @Test
    void knowsThePlanOfACallInARequest() throws Exception {
        assertThat(client.allowed(20, "/annotated", "Client", "a", "Plan", "free"))
                .isEqualTo(5);
        assertThat(client.allowed(20, "/annotated", "Client", "b", "Plan", "pro"))
                .isEqualTo(10);
    }

    @Test
    void countsWhatComesOfRequestsAndCalls() throws Exception {
        long allowed = counts.count("annotated", Outcome.ALLOWED);
        long denied = counts.count("annotated", Outcome.DENIED);
        client.allowed(7, "/annotated", "Client", "counted", "Plan", "free");

        assertThat(counts.count("annotated", Outcome.ALLOWED)).isEqualTo(allowed + 5);
        assertThat(counts.count("annotated", Outcome.DENIED)).isEqualTo(denied + 2);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> counts.count("Exports.export", Outcome.ALLOWED))
                .withMessage("no policy is named \"Exports.export\"; there are: [planned, annotated]");
    }
}
