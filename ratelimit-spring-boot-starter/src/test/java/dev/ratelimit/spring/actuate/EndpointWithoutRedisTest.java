package dev.ratelimit.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import com.jayway.jsonpath.JsonPath;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;

/** Nothing is at the port that Redis is looked for. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = EndpointWithoutRedisTest.Application.class,
        properties = {
            "management.endpoints.web.exposure.include=ratelimit",
            "spring.data.redis.port=1",
            "ratelimit.policies.api.limits=5/1m",
            "ratelimit.policies.api.key=ip",
            "ratelimit.policies.api.paths=/api/**",
            "ratelimit.policies.api.backend=redis",
        })
class EndpointWithoutRedisTest {
    private final URI uri;

    EndpointWithoutRedisTest(@LocalServerPort int port) {
        uri = URI.create("http://localhost:" + port + "/actuator/ratelimit/policies/api?key=192.0.2.1");
    }

    @EnableAutoConfiguration
    static class Application {}

    private HttpResponse<String> send(String method) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(uri)
                                .method(method, HttpRequest.BodyPublishers.noBody())
                                .build(),
                        BodyHandlers.ofString());
    }

    @Test
    void saysThatABucketWasNotReset() throws Exception {
        HttpResponse<String> answer = send("DELETE");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(JsonPath.<String>read(answer.body(), "$.error"))
                .isEqualTo("Redis did not say that it has reset the bucket");
        assertThat(send("GET").statusCode()).isEqualTo(200);
    }
}
