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
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.io.ByteArrayResource;

/** Holds the README to what the code does. */
class ReadmeTest {
    private static final Path ROOT = Path.of("..");

    private final String readme = read("README.md");

    static class FrozenClock {
        @Bean
        NanoClock clock() {
            return new ManualClock(0);
        }
    }

    private static String read(String path) {
        try {
            return Files.readString(ROOT.resolve(path));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private List<String> blocks(String language) {
        return Pattern.compile("^```" + language + "\\n(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(readme)
                .results()
                .map(block -> block.group(1))
                .toList();
    }

    private static ConfigurableApplicationContext start(Map<String, Object> properties) {
        return new SpringApplicationBuilder(SampleApplication.class, FrozenClock.class)
                .web(WebApplicationType.SERVLET)
                .properties("server.port=0")
                .initializers(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new MapPropertySource("readme", properties)))
                .run();
    }

    private static HttpResponse<String> get(ConfigurableApplicationContext app, String path) throws Exception {
        String port = app.getEnvironment().getProperty("local.server.port");
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                .build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    }

    @Test
    void itsDependencyIsTheOneThatIsBuilt() {
        String version = Pattern.compile("<version>(.*?)</version>")
                .matcher(read("pom.xml"))
                .results()
                .findFirst()
                .map(match -> match.group(1))
                .orElseThrow();

        assertThat(blocks("xml"))
                .singleElement()
                .asString()
                .contains(
                        "<groupId>dev.ratelimit</groupId>",
                        "<artifactId>ratelimit-spring-boot-starter</artifactId>",
                        "<version>" + version + "</version>");
    }

    @Test
    @SuppressWarnings("unchecked")
    void itsYamlIsUnderstoodAndLimits() throws Exception {
        for (String yaml : blocks("yaml")) {
            Map<String, Object> properties = new YamlPropertySourceLoader()
                    .load("readme", new ByteArrayResource(yaml.getBytes(StandardCharsets.UTF_8))).stream()
                            .flatMap(source -> ((Map<String, Object>) source.getSource()).entrySet().stream())
                            .collect(Collectors.toMap(
                                    Map.Entry::getKey, entry -> entry.getValue().toString()));
            try (ConfigurableApplicationContext app = start(properties)) {
                assertThat(get(app, "/api/hello").headers().firstValue("ratelimit-policy"))
                        .as(yaml)
                        .contains("\"api\";q=100;w=60");
            }
        }
        assertThat(blocks("yaml")).isNotEmpty();
    }

    @Test
    void itsJavaIsThatOfTheSample() {
        String source = (read("sample-app/src/main/java/dev/ratelimit/sample/ReportService.java")
                        + read("sample-app/src/main/java/dev/ratelimit/sample/WeatherService.java"))
                .replaceAll("(?m)^ +", "");

        assertThat(blocks("java"))
                .hasSize(3)
                .allSatisfy(block -> assertThat(source)
                        .contains(block.replaceAll("(?m)^ +", "").strip()));
    }

    @Test
    void itsResponseIsARealOne() throws Exception {
        List<String> path = Pattern.compile("curl -i localhost:8080(/\\S*)")
                .matcher(readme)
                .results()
                .map((MatchResult curl) -> curl.group(1))
                .toList();
        assertThat(path).hasSize(1);
        try (ConfigurableApplicationContext app = start(Map.of())) {
            for (int i = 0; i < 5; i++) {
                assertThat(get(app, path.get(0)).statusCode()).isEqualTo(200);
            }
            HttpResponse<String> denied = get(app, path.get(0));
            String http = blocks("http").get(0);

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
