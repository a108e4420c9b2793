package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.PolicyDecision;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

class HeaderDialectTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ietf | ratelimit, ratelimit-policy | RateLimit-Policy, RateLimit; Retry-After",
                "x-ratelimit | x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset"
                        + " | X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset; Retry-After",
                "none | '' | Retry-After"
            })
    void speaksTheDialectThatIsConfigured(String dialect, String fields, String exposed) throws Exception {
        try (ConfigurableApplicationContext app = SpringApplication.run(
                TestApplication.class,
                "--server.port=0",
                "--ratelimit.headers=" + dialect,
                "--ratelimit.policies.annotated.limits=5/1m", // TestApplication names it
                "--ratelimit.policies.early.limits=5/1m",
                "--ratelimit.policies.api.limits=1/1m",
                "--ratelimit.policies.api.paths=/everyone")) {
            int port = app.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
            HttpResponse<String> allowed = get(port);
            HttpResponse<String> denied = get(port);

            assertThat(allowed.statusCode()).isEqualTo(200);
            assertThat(denied.statusCode()).isEqualTo(429);
            assertThat(denied.headers().firstValue("Retry-After")).contains("60");
            assertThat(String.join(", ", namesOfFields(allowed))).isEqualTo(fields);
            assertThat(namesOfFields(denied)).isEqualTo(namesOfFields(allowed));
            assertThat(String.join("; ", denied.headers().allValues("Access-Control-Expose-Headers")))
                    .isEqualTo(exposed);
        }
    }

    @Test
    void saysNothingOnceTheResponseIsOnItsWay() throws Exception {
        RateLimitAnswer answer = new RateLimitAnswer(
                new RequestRules(List.of()), RateLimitFields.xRateLimit(), new ProblemResponseWriter());
        Policy policy = Policy.of("api", Limit.parse("1/1m"));
        Decision denial = new Decision(false, 0, 1, 1, policy.limits().get(0));
        MockHttpServletResponse response = new MockHttpServletResponse();
        response.getWriter().write("begun");
        response.flushBuffer();

        answer.denied(new MockHttpServletRequest(), response, List.of(new PolicyDecision(policy, denial)));
        assertThat(response.getStatus()).isEqualTo(200);
        assertThat(response.getContentAsString()).isEqualTo("begun");
        assertThat(response.getHeaderNames()).isEmpty();
    }

    private static List<String> namesOfFields(HttpResponse<?> response) {
        return response.headers().map().keySet().stream()
                .filter(name -> name.contains("ratelimit"))
                .sorted()
                .toList();
    }

    private static HttpResponse<String> get(int port) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/everyone"))
                .header("Origin", "https://a.example")
                .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    }
}
