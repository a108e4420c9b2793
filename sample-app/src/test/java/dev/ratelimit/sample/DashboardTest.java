package dev.ratelimit.sample;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Holds the dashboard and the queries of docs/operations.md to the meters of the sample, as Prometheus scrapes them. */
@TestInstance(Lifecycle.PER_CLASS)
class DashboardTest {
    private static final Path DOCS = Path.of("..", "docs");
    private static final Pattern METRIC = Pattern.compile("\\bratelimit_\\w+");
    private static final Pattern MATCHER = Pattern.compile("(\\w+)(?:=~|=|!=|!~)\"([^\"]*)\"");
    private static final Set<String> ANY_VALUE = Set.of("policy", "job", "instance");

    private final Map<String, Set<String>> labels = new HashMap<>();
    private final Set<String> metrics = metrics();
    private final JsonNode dashboard = new JsonMapper()
            .readTree(DOCS.resolve("grafana/ratelimit-dashboard.json").toFile());

    /** The names that a scrape comes to, of which it fills in the labels. Nobody listens where Redis is looked for. */
    private Set<String> metrics() {
        try (ConfigurableApplicationContext app = new SpringApplicationBuilder(SampleApplication.class)
                .profiles("redis")
                .run("--server.port=0", "--spring.data.redis.port=1")) {
            Set<String> names = new HashSet<>();
            String scrape = app.getBean(PrometheusMeterRegistry.class).scrape();
            scrape.lines().filter(line -> line.startsWith("ratelimit_")).forEach(line -> {
                names.add(line.split("[{ ]", -1)[0]);
                matchers(line)
                        .forEach(each -> labels.computeIfAbsent(each.group(1), any -> new HashSet<>())
                                .add(each.group(2)));
            });
            return names;
        }
    }

    private static Stream<MatchResult> matchers(String query) {
        return MATCHER.matcher(query).results();
    }

    private static Set<String> metricsIn(Stream<String> queries) {
        Set<String> found = new HashSet<>();
        queries.forEach(query -> METRIC.matcher(query).results().forEach(each -> found.add(each.group())));
        return found;
    }

    private Stream<String> queriesOfTheDashboard() {
        return Stream.concat(
                dashboard.findValues("expr").stream().map(JsonNode::asString),
                dashboard
                        .at("/templating/list")
                        .valueStream()
                        .map(each -> each.at("/query/query").asString("")));
    }

    private static Stream<String> queriesOfTheDocs() {
        try {
            return Pattern.compile("^```promql\\n(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL)
                    .matcher(Files.readString(DOCS.resolve("operations.md")))
                    .results()
                    .map(block -> block.group(1));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void asksForMetersThatExist() {
        assertThat(metrics).containsAll(metricsIn(queriesOfTheDashboard()));
        assertThat(metrics).containsAll(metricsIn(queriesOfTheDocs()));
        assertThat(queriesOfTheDocs()).isNotEmpty();
    }

    @Test
    void asksForValuesThatTheirTagsHave() {
        assertThat(Stream.concat(queriesOfTheDashboard(), queriesOfTheDocs())
                        .flatMap(DashboardTest::matchers)
                        .filter(each -> !ANY_VALUE.contains(each.group(1))))
                .isNotEmpty()
                .allSatisfy(each -> assertThat(labels.get(each.group(1)))
                        .as(each.group())
                        .contains(each.group(2).split("\\|")));
    }

    @Test
    void leavesNoMeterOut() {
        assertThat(metricsIn(queriesOfTheDashboard())).containsExactlyInAnyOrderElementsOf(metrics);
    }

    @Test
    void putsNoPanelOnAnother() {
        Set<String> taken = new HashSet<>();
        Set<Integer> ids = new HashSet<>();
        for (JsonNode panel : dashboard.get("panels")) {
            assertThat(ids.add(panel.get("id").asInt())).isTrue();
            JsonNode at = panel.get("gridPos");
            for (int x = 0; x < at.get("w").asInt(); x++) {
                for (int y = 0; y < at.get("h").asInt(); y++) {
                    assertThat(taken.add((at.get("x").asInt() + x) + ","
                                    + (at.get("y").asInt() + y)))
                            .as(panel.get("title").asString())
                            .isTrue();
                }
            }
        }
    }
}
