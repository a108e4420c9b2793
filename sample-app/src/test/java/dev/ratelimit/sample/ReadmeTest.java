package dev.ratelimit.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.NanoClock;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;

/** Does what the README says, with an application that has nothing but a path and the README's own configuration. */
class ReadmeTest {
    private final String readme = Files.readString(Path.of("..", "README.md"));

    ReadmeTest() throws IOException {}

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import(HelloController.class)
    static class NewApplication {
        @Bean
        NanoClock clock() {
            return new ManualClock(0);
        }
    }

    private String only(String regex) {
        List<String> found = Pattern.compile(regex, Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(readme)
                .results()
                .map(each -> each.group(1))
                .toList();
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    private String block(String language) {
        return only("^```" + language + "\\n(.*?)^```");
    }

    private ConfigurableApplicationContext start() throws IOException {
        List<PropertySource<?>> yaml = new YamlPropertySourceLoader()
                .load("readme", new ByteArrayResource(block("yaml").getBytes(StandardCharsets.UTF_8)));
        return new SpringApplicationBuilder(NewApplication.class)
                .initializers(context -> yaml.forEach(context.getEnvironment().getPropertySources()::addFirst))
                .run("--server.port=0", "--spring.config.name=none");
    }

    @Test
    void itsThreeLinesGiveTheAnswerThatItShows() throws Exception {
        try (ConfigurableApplicationContext app = start()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:"
                            + app.getEnvironment().getProperty("local.server.port")
                            + only("curl -i localhost:8080(/[\\w/]*)")))
                    .build();
            HttpClient client = HttpClient.newHttpClient();
            for (int i = 0; i < 5; i++) {
                assertThat(client.send(request, BodyHandlers.ofString()).statusCode())
                        .isEqualTo(200);
            }
            HttpResponse<String> denied = client.send(request, BodyHandlers.ofString());
            String http = block("http");

            assertThat(http).startsWith("HTTP/1.1 " + denied.statusCode() + '\n');
            http.lines()
                    .skip(1)
                    .takeWhile(line -> !line.isEmpty())
                    .forEach(line -> assertThat(denied.headers().allValues(line.substring(0, line.indexOf(':'))))
                            .containsExactly(line.replaceFirst("^[^:]*: ", "")));
            assertThat(http.substring(http.indexOf("\n\n")).replaceAll("\\n *", ""))
                    .isEqualTo(denied.body());
        }
    }
}
