package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.PolicyDecision;
import java.net.http.HttpResponse;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** Whoever writes the denial, the client is told the same of when to come back. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = {TestApplication.class, ResponseWriterTest.BusyPage.class},
        properties = {
            "ratelimit.policies.annotated.limits=1/1m",
            "ratelimit.policies.early.limits=1/1m", // TestApplication names it
            "ratelimit.policies.filtered.limits=1/1m",
            "ratelimit.policies.filtered.paths=/filtered"
        })
class ResponseWriterTest {

    @LocalServerPort
    private int port;

    /** The one of the Javadoc. */
    @Configuration(proxyBeanMethods = false)
    static class BusyPage {
        @Bean
        RateLimitResponseWriter busyPage() {
            return (request, response, violations) -> {
                response.setStatus(PolicyDecision.areUnavailable(violations) ? 503 : 429);
                response.setContentType("text/plain");
                response.getWriter().write("too many requests");
            };
        }
    }

    @ParameterizedTest
    @CsvSource({"/filtered, 60", "/annotated, 60", "/own-account, 2", "/never-granted, ''"})
    void leavesRetryAfterAndNoStoreToNoWriter(String path, String retryAfter) throws Exception {
        LocalClient client = new LocalClient(port);
        client.get(path);
        HttpResponse<String> denied = client.get(path, "Origin", "https://a.example");

        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(denied.body()).isEqualTo("too many requests");
        assertThat(LocalClient.header(denied, "Cache-Control")).isEqualTo("no-store");
        assertThat(LocalClient.header(denied, "Retry-After")).isEqualTo(retryAfter);
        assertThat(LocalClient.header(denied, "Access-Control-Expose-Headers").contains("Retry-After"))
                .isEqualTo(!retryAfter.isEmpty());
    }
}
