package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.actuate.RateLimitEndpoint;
import dev.ratelimit.spring.web.RequestExplainer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;

class RateLimitActuatorTest {
    private static final AutoConfigurations OURS = AutoConfigurations.of(
            RateLimitAutoConfiguration.class,
            RateLimitWebAutoConfiguration.class,
            RateLimitActuatorAutoConfiguration.class);

    private final WebApplicationContextRunner web = new WebApplicationContextRunner().withConfiguration(OURS);

    @EnableAutoConfiguration
    static class Application {}

    @Test
    void isThereOnlyWhereItIsExposed() {
        web.run(context -> assertThat(context)
                .hasNotFailed()
                .doesNotHaveBean(RateLimitEndpoint.class)
                .doesNotHaveBean(RequestExplainer.class));
        web.withPropertyValues("management.endpoints.web.exposure.include=ratelimit")
                .run(context -> assertThat(context).hasSingleBean(RateLimitEndpoint.class));
        web.withPropertyValues(
                        "management.endpoints.web.exposure.include=ratelimit",
                        "management.endpoint.ratelimit.access=NONE")
                .run(context -> assertThat(context).doesNotHaveBean(RateLimitEndpoint.class));
        web.withPropertyValues("management.endpoints.web.exposure.include=ratelimit", "ratelimit.enabled=false")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(RateLimitEndpoint.class));
    }

    @Test
    void isNotMissedWhereThereIsNoActuatorOrNoWeb() {
        web.withClassLoader(new FilteredClassLoader(
                        ReadOperation.class.getPackageName(), "org.springframework.boot.actuate"))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(RequestExplainer.class));
        new ApplicationContextRunner()
                .withConfiguration(OURS)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(RequestExplainer.class));
    }

    @Test
    void changesNothingWhereAccessIsToReadOnly() throws Exception {
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Application.class)
                .properties(
                        "server.port=0",
                        "management.endpoints.web.exposure.include=ratelimit",
                        "management.endpoint.ratelimit.access=read-only",
                        "ratelimit.policies.api.limits=5/1m")
                .run()) {
            int port = Objects.requireNonNull(((ServletWebServerApplicationContext) context).getWebServer())
                    .getPort();
            assertThat(status(port, "GET", "")).isEqualTo(200);
            assertThat(status(port, "POST", "{\"mode\": \"off\"}")).isEqualTo(405);
            assertThat(status(port, "DELETE", "")).isEqualTo(405);
        }
    }

    private static int status(int port, String method, String body) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + port + "/actuator/ratelimit/policies/api?key=127.0.0.1");
        HttpRequest request = HttpRequest.newBuilder(uri)
                .header("Content-Type", "application/json")
                .method(method, BodyPublishers.ofString(body))
                .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).statusCode();
    }
}
