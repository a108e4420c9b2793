package dev.ratelimit.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The packaged sample, as it is and as it was built ahead of time: nobody who asks it can tell which one it is. */
class AheadOfTimeIT {
    private static final Pattern PORT = Pattern.compile("Tomcat started on port (\\d+)");

    /** By the filter, by the annotation, by code of the sample's own, by the actuator, and what nobody answers. */
    private static final List<String> REQUESTS = List.of(
            "/api/hello",
            "/api/hello",
            "/api/hello",
            "/api/nothing",
            "/reports/acme",
            "/reports/acme/export?pages=8",
            "/reports/acme/export?pages=8",
            "/reports/globex/export?pages=8",
            "/reports/acme/export?pages=many",
            "/weather/Rome",
            "/weather/Rome",
            "/actuator/health",
            "/actuator/ratelimit",
            "/actuator/ratelimit/policies/api?key=192.0.2.1",
            "/actuator/ratelimit/policies/none",
            "/actuator/ratelimit/explain?method=GET&path=/api/hello&address=192.0.2.1&headers=X-Api-Key:a",
            "/nothing",
            "/");

    private record Answer(int status, Map<String, List<String>> headers, String body) {

        static Answer of(HttpResponse<String> response) {
            Map<String, List<String>> headers = new TreeMap<>();
            response.headers()
                    .map()
                    .forEach((name, values) -> headers.put(
                            name, values.stream().map(Answer::withoutTime).toList()));
            return new Answer(response.statusCode(), headers, withoutTime(response.body()));
        }

        private static String withoutTime(String text) {
            return text.replaceAll("\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z", "TIME")
                    .replaceAll("\\w{3}, \\d\\d \\w{3} \\d{4} [0-9:]+ GMT", "TIME")
                    .replaceAll("PT[0-9HMS.]+", "TIME")
                    .replaceAll("(?<=t=|in |^)\\d{2,}(?=$|\\D)", "TIME");
        }
    }

    /** A JVM of its own, which ends with this. */
    private static final class Sample implements AutoCloseable {
        private final HttpClient client = HttpClient.newHttpClient();
        private final List<String> log = new ArrayList<>();
        private final Process process;

        Sample(boolean aheadOfTime) throws IOException {
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-Dspring.aot.enabled=" + aheadOfTime,
                            "-jar",
                            System.getProperty("sample.jar"),
                            "--server.port=0",
                            "--server.address=127.0.0.1",
                            "--management.endpoints.web.exposure.include=health,ratelimit",
                            "--ratelimit.key-secret=that of the test alone",
                            "--ratelimit.policies.api.limits=3/1d",
                            "--ratelimit.policies.export.limits=10/1d",
                            "--ratelimit.policies.weather-station.limits=1/1d")
                    .redirectErrorStream(true)
                    .start();
        }

        List<Answer> answers() throws Exception {
            String port = awaitPort();
            List<Answer> answers = new ArrayList<>();
            for (String path : REQUESTS) {
                HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .build();
                answers.add(Answer.of(client.send(request, BodyHandlers.ofString())));
            }
            return answers;
        }

        private String awaitPort() throws IOException {
            BufferedReader out = process.inputReader();
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                log.add(line);
                Matcher port = PORT.matcher(line);
                if (port.find()) {
                    return port.group(1);
                }
            }
            throw new AssertionError("ended before it listened: " + log);
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    @Test
    void answersAsItDoesWithout() throws Exception {
        try (Sample plain = new Sample(false);
                Sample aheadOfTime = new Sample(true)) {
            List<Answer> expected = plain.answers();

            assertThat(aheadOfTime.answers()).containsExactlyElementsOf(expected);
            assertThat(plain.log).anyMatch(line -> line.contains("Starting SampleApplication"));
            assertThat(aheadOfTime.log).anyMatch(line -> line.contains("Starting AOT-processed SampleApplication"));
            assertThat(expected)
                    .extracting(Answer::status)
                    .containsExactly(
                            200, 200, 200, 429, 200, 200, 429, 200, 400, 200, 200, 200, 200, 200, 404, 200, 404, 200);
        }
    }
}
