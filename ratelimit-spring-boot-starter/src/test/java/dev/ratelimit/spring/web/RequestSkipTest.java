package dev.ratelimit.spring.web;

import static dev.ratelimit.spring.web.LocalClient.header;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.RequestSkip;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.mock.web.MockHttpServletRequest;

@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = {PlainApplication.class, RequestSkipTest.Skips.class},
        properties = {
            "ratelimit.client-address.trusted-proxies=127.0.0.1, ::1",
            "ratelimit.policies.open.limits=2/1m",
            "ratelimit.policies.open.paths=/filtered",
            "ratelimit.policies.open.skip=10.0.0.0/8, 127.0.0.0/8, broken, batchJobs",
            "ratelimit.policies.closed.limits=5/1m",
            "ratelimit.policies.closed.paths=/filtered/closed",
            "ratelimit.policies.annotated.limits=2/1m",
            "ratelimit.policies.annotated.skip=10.0.0.0/8",
        })
class RequestSkipTest {
    private final LocalClient client;

    @Autowired
    private ManualClock clock;

    @Autowired
    private RateLimitCounts counts;

    RequestSkipTest(@LocalServerPort int port) {
        client = new LocalClient(port);
    }

    static class Skips {
        @Bean
        RequestSkip batchJobs() {
            return request -> "batch".equals(request.getHeader("Job"));
        }

        @Bean
        RequestSkip broken() {
            return request -> {
                throw new IllegalStateException("who knows");
            };
        }
    }

    @BeforeEach
    void fillAllBuckets() {
        clock.advance(Duration.ofDays(1));
    }

    @ParameterizedTest
    @CsvSource({"/filtered, X-Forwarded-For, 10.1.2.3", "/filtered, Job, batch", "/annotated, X-Forwarded-For, 10.1.2.3"
    })
    void neitherChargesNorDeniesWhatAPolicySkips(String path, String name, String value) throws Exception {
        String policy = path.equals("/filtered") ? "open" : "annotated";
        long skipped = counts.count(policy, Outcome.SKIPPED);
        for (int i = 0; i < 5; i++) {
            HttpResponse<String> response = client.get(path, name, value);
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(header(response, "RateLimit")).isEmpty();
        }

        assertThat(counts.count(policy, Outcome.SKIPPED)).isEqualTo(skipped + 5);
    }

    @ParameterizedTest
    @CsvSource({
        "X-Forwarded-For, 203.0.113.1",
        "X-Forwarded-For, '10.1.2.3, 203.0.113.1'",
        "X-Forwarded-For, '10.1.2.3, unknown'",
        "Forwarded, for=10.1.2.3",
        "Job, other"
    })
    void chargesEverybodyElse(String name, String value) throws Exception {
        assertThat(client.allowed(5, "/filtered", name, value)).isEqualTo(2);
    }

    @Test
    void skipsOnePolicyAndNotTheOthers() throws Exception {
        assertThat(client.allowed(9, "/filtered/closed", "X-Forwarded-For", "10.1.2.3"))
                .isEqualTo(5);
    }

    @Test
    void knowsAClientThatComesWithoutAProxyByItsAddress() {
        ClientAddress direct = new ClientAddress(List.of(), ForwardedHeader.X_FORWARDED_FOR, 56);
        RequestSkip skip = new RequestSkips(Map.of(), direct).of(List.of("10.0.0.0/8", "2001:db8::1"), "skip");
        MockHttpServletRequest request = new MockHttpServletRequest();

        request.setRemoteAddr("10.255.0.1");
        assertThat(skip.skips(request)).isTrue();
        request.setRemoteAddr("2001:db8::1");
        assertThat(skip.skips(request)).isTrue();
        request.setRemoteAddr("11.0.0.1");
        request.addHeader("X-Forwarded-For", "10.0.0.1");
        assertThat(skip.skips(request)).isFalse();
    }
}
