package dev.ratelimit.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;

@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
class SampleApplicationTest {

    @LocalServerPort
    private int port;

    @ParameterizedTest
    @ValueSource(
            strings = {"/api/hello", "/reports/acme", "/reports/acme/export?pages=2", "/reports/globex/export?pages=2"})
    void deniesTheSixthOfFiveAllowedRequests(String path) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                .build();
        for (int i = 0; i < 5; i++) {
            HttpResponse<String> allowed = client.send(request, BodyHandlers.ofString());
            assertThat(allowed.statusCode()).isEqualTo(200);
            assertThat(allowed.headers().map()).containsKeys("ratelimit-policy", "ratelimit");
        }

        HttpResponse<String> denied = client.send(request, BodyHandlers.ofString());
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(denied.headers().map()).containsKeys("retry-after", "ratelimit-policy", "ratelimit");
        assertThat(denied.headers().firstValue("content-type")).contains("application/problem+json");
    }

    @Test
    void isHealthyWithoutRedis() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/actuator/health"))
                .build();

        assertThat(HttpClient.newHttpClient()
                        .send(request, BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(200);
    }
}
