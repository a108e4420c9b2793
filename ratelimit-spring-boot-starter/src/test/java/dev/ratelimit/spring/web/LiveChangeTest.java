package dev.ratelimit.spring.web;

import static dev.ratelimit.spring.web.LocalClient.header;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.PolicyChange;
import dev.ratelimit.spring.PolicyChanger;
import dev.ratelimit.spring.RateLimitCharges;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.RateLimited;
import jakarta.servlet.Filter;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.annotation.Order;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.RouterFunctions;
import org.springframework.web.servlet.function.ServerResponse;

@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = {PlainApplication.class, LiveChangeTest.Beans.class},
        properties = {
            "ratelimit.policies.api.limits=5/1m",
            "ratelimit.policies.api.paths=/filtered,/changing",
            "ratelimit.policies.dormant.limits=2/1m",
            "ratelimit.policies.dormant.paths=/dormant",
            "ratelimit.policies.dormant.charge-on=4xx",
            "ratelimit.policies.dormant.mode=off",
            "ratelimit.policies.planned.plans.free=2/1m",
            "ratelimit.policies.planned.plans.pro=4/1m",
            "ratelimit.policies.planned.key=header:Client",
            "ratelimit.policies.planned.paths=/planned",
            "ratelimit.policies.behind.limits=5/1m",
            "ratelimit.policies.behind.key=principal",
            "ratelimit.policies.behind.paths=/between",
            "ratelimit.policies.annotated.limits=3/1m",
            "ratelimit.policies.dear.limits=9/1m",
        })
class LiveChangeTest {
    private final LocalClient client;

    @Autowired
    private ManualClock clock;

    @Autowired
    private PolicyChanger changer;

    @Autowired
    private RateLimitCounts counts;

    LiveChangeTest(@LocalServerPort int port) {
        client = new LocalClient(port);
    }

    static class Beans {
        @Bean
        PlanResolver plans() {
            return request -> request.getHeader("Plan");
        }

        @Bean
        Dear dear() {
            return new Dear();
        }

        /** Changes a policy between the filters, where Spring Security would stand. */
        @Bean
        FilterRegistrationBean<Filter> between(PolicyChanger changer) {
            FilterRegistrationBean<Filter> registration = new FilterRegistrationBean<>((request, response, chain) -> {
                changer.change("behind", limits("7/1m"));
                chain.doFilter(request, response);
            });
            registration.addUrlPatterns("/between");
            registration.setOrder(-100);
            return registration;
        }

        /** Changes its own policy half-way. */
        @Bean
        @Order(0)
        RouterFunction<ServerResponse> changing(PolicyChanger changer) {
            return RouterFunctions.route()
                    .GET("/changing", request -> {
                        changer.change("api", limits("50/1m"));
                        RequestCharges.of(request.servletRequest()).settle("api", 0);
                        return ServerResponse.ok().body("changed");
                    })
                    .build();
        }
    }

    static class Dear {
        @RateLimited(policy = "dear", tokens = "7")
        public void call(RateLimitCharges charges) {
            // only its cost matters
        }
    }

    private static PolicyChange limits(String... limits) {
        return new PolicyChange(String.join(",", limits), null, null);
    }

    private static PolicyChange mode(String mode) {
        return new PolicyChange(null, null, mode);
    }

    @BeforeEach
    void startAnew() {
        changer.change("api", limits("5/1m"));
        changer.change("behind", limits("5/1m"));
        changer.change("annotated", limits("3/1m"));
        changer.change("dormant", mode("off"));
        changer.change("planned", new PolicyChange(null, Map.of("free", "2/1m", "pro", "4/1m"), null));
        clock.advance(Duration.ofDays(7));
    }

    @Test
    void carriesTokensOverWhenALimitGrows() throws Exception {
        assertThat(client.allowed(3, "/filtered")).isEqualTo(3);

        changer.change("api", limits("50/1m"));

        HttpResponse<String> next = client.get("/filtered");
        assertThat(header(next, "RateLimit-Policy")).isEqualTo("\"api\";q=50;w=60");
        assertThat(header(next, "RateLimit")).startsWith("\"api\";r=1;");
        assertThat(client.allowed(60, "/filtered")).isEqualTo(1);
        clock.advance(Duration.ofSeconds(12));
        assertThat(client.allowed(60, "/filtered")).as("at the new rate").isEqualTo(10);
    }

    @Test
    void leavesNoMoreThanFitsWhenALimitShrinks() throws Exception {
        changer.change("api", limits("50/1m"));
        client.get("/filtered");
        clock.advance(Duration.ofDays(1));
        assertThat(client.allowed(10, "/filtered")).isEqualTo(10);

        changer.change("api", limits("5/1m"));
        assertThat(client.allowed(60, "/filtered")).isEqualTo(5);
        changer.change("api", limits("50/1m"));
        assertThat(client.allowed(60, "/filtered")).isZero();
    }

    @Test
    void addsAndRemovesLimits() throws Exception {
        changer.change("api", limits("5/1m", "2/1s"));
        HttpResponse<String> next = client.get("/filtered");
        assertThat(header(next, "RateLimit-Policy")).isEqualTo("\"api-60\";q=5;w=60, \"api-1\";q=2;w=1");
        assertThat(client.allowed(9, "/filtered")).isEqualTo(1);

        changer.change("api", limits("5/1m"));
        assertThat(client.allowed(9, "/filtered")).isLessThanOrEqualTo(3);
    }

    @Test
    void enforcesAPolicyThatWasOffAtStartAndTurnsItOffAgain() throws Exception {
        assertThat(client.allowed(5, "/dormant")).isEqualTo(5);

        changer.change("dormant", mode("enforce"));
        HttpResponse<String> charged = client.get("/dormant");
        assertThat(header(charged, "RateLimit")).startsWith("\"dormant\";r=1;");
        changer.change("dormant", mode("off"));
        assertThat(header(client.get("/dormant"), "RateLimit")).isEmpty();
    }

    @Test
    void givesBackByStatusUnderAPolicyThatWasOffAtStart() throws Exception {
        changer.change("dormant", mode("enforce"));

        assertThat(client.allowed(9, "/dormant")).as("which end in 200").isEqualTo(9);
    }

    @Test
    void onlyLooksOnOnceItIsToldTo() throws Exception {
        changer.change("api", mode("shadow"));
        try {
            long denied = counts.count("api", Outcome.SHADOW_DENIED);
            assertThat(client.allowed(9, "/filtered")).isEqualTo(9);
            assertThat(header(client.get("/filtered"), "RateLimit")).isEmpty();
            assertThat(counts.count("api", Outcome.SHADOW_DENIED)).isEqualTo(denied + 5);
        } finally {
            changer.change("api", mode("enforce"));
        }
        assertThat(client.get("/filtered").statusCode()).isEqualTo(429);
    }

    @Test
    void changesTheLimitsOfPlansAndWhichThereAre() throws Exception {
        changer.change("planned", new PolicyChange(null, Map.of("free", "3/1m", "gold", "6/1m"), null));
        clock.advance(Duration.ofDays(1));

        assertThat(client.allowed(9, "/planned", "Client", "a", "Plan", "free")).isEqualTo(3);
        assertThat(client.allowed(9, "/planned", "Client", "b", "Plan", "gold")).isEqualTo(6);
        assertThat(client.allowed(9, "/planned", "Client", "c", "Plan", "pro"))
                .as("which is no more")
                .isEqualTo(3);
    }

    @Test
    void changesWhatAnnotatedMethodsAreUnder() throws Exception {
        assertThat(client.allowed(2, "/annotated")).isEqualTo(2);

        changer.change("annotated", limits("30/1m"));
        assertThat(header(client.get("/annotated"), "RateLimit-Policy")).isEqualTo("\"annotated\";q=30;w=60");
        changer.change("annotated", mode("off"));
        assertThat(client.allowed(9, "/annotated")).isEqualTo(9);
        changer.change("annotated", mode("enforce"));
        assertThat(client.get("/annotated").statusCode()).isEqualTo(429);
    }

    @Test
    void refusesWhatAMethodAlwaysCostsMoreThan() {
        assertThatExceptionOfType(InvalidRateLimitException.class)
                .isThrownBy(() -> changer.change("dear", limits("6/1m")))
                .withMessage("@RateLimited on " + Dear.class.getName()
                        + ".call costs 7 tokens, which is more than the limit 6/1m can ever grant");
    }

    @Test
    void losesNoTokensOfARequestUnderWay() throws Exception {
        assertThat(client.get("/changing").body()).isEqualTo("changed");

        assertThat(client.allowed(60, "/filtered")).isEqualTo(5);
    }

    @Test
    void holdsARequestToTheLimitsAsTheyWereWhenItCame() throws Exception {
        assertThat(header(client.get("/between"), "RateLimit-Policy")).isEqualTo("\"behind\";q=5;w=60");
        assertThat(header(client.get("/between"), "RateLimit-Policy")).isEqualTo("\"behind\";q=7;w=60");
    }

    @Test
    void tellsARequestOfTheLimitsThatDecidedAndAdmitsNoMoreThanTheLargest() throws Exception {
        changer.change("api", limits("90/1m"));
        client.get("/filtered");
        clock.advance(Duration.ofDays(1));
        Pattern state = Pattern.compile("\"api\";q=(\\d+);w=60 \"api\";r=(\\d+);t=\\d+");
        AtomicBoolean over = new AtomicBoolean();
        Thread operator = new Thread(() -> {
            for (int i = 0; !over.get(); i++) {
                changer.change("api", limits(i % 2 == 0 ? "80/1m" : "90/1m"));
            }
        });
        operator.start();
        int allowed = 0;
        try {
            for (int i = 0; i < 300; i++) {
                HttpResponse<String> response = client.get("/filtered");
                allowed += response.statusCode() == 200 ? 1 : 0;
                Matcher fields =
                        state.matcher(header(response, "RateLimit-Policy") + " " + header(response, "RateLimit"));
                assertThat(fields.matches()).as(response.headers().toString()).isTrue();
                assertThat(fields.group(1)).isIn("80", "90");
                assertThat(Integer.parseInt(fields.group(2))).isLessThan(Integer.parseInt(fields.group(1)));
            }
        } finally {
            over.set(true);
            operator.join();
        }
        assertThat(allowed).isBetween(1, 90);
    }
}
