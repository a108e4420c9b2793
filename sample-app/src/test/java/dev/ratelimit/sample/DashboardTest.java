package dev.ratelimit.sample;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Holds the dashboard and the queries of docs/operations.md to the meters there are, under the names Prometheus has them by. */
class DashboardTest {
    private static final Path DOCS = Path.of("..", "docs");
    private static final Pattern METRIC = Pattern.compile("\\bratelimit_\\w+");
    private static final Pattern MATCHER = Pattern.compile("(\\w+)(?:=~|=|!=|!~)\"([^\"]*)\"");
    private static final Set<String> ANY_VALUE = Set.of("policy", "job", "instance", "reason");

    private final Map<String, Set<String>> labels = new HashMap<>();
    private final Set<String> metrics = metrics();
    private final JsonNode dashboard = new JsonMapper()
            .readTree(DOCS.resolve("grafana/ratelimit-dashboard.json").toFile());

    /**
     * The meters, one for each of their tags' values.
     *
     * <p>They are listed here until the starter has them all. Then {@code new RateLimitMeters(...).bindTo(registry)} and its
     * like for Redis stand in place of the list.
     */
    private static void bindMeters(PrometheusMeterRegistry registry) {
        for (String outcome : List.of("allowed", "denied", "shadow-denied", "degraded", "skipped")) {
            Counter.builder("ratelimit.decisions")
                    .tags("policy", "api", "outcome", outcome)
                    .register(registry);
        }
        for (String kind : List.of("charged", "refunded")) {
            Counter.builder("ratelimit.tokens")
                    .tags("policy", "api", "kind", kind)
                    .register(registry);
        }
        for (String counter : List.of("near.limit", "penalties", "unattributed", "unknown.plans", "evictions.debt")) {
            Counter.builder("ratelimit." + counter).tags("policy", "api").register(registry);
        }
        for (String gauge : List.of("keys", "ledger.fill")) {
            Gauge.builder("ratelimit." + gauge, () -> 0).tags("policy", "api").register(registry);
        }
        Timer.builder("ratelimit.redis.latency").register(registry);
        Gauge.builder("ratelimit.redis.breaker", () -> 0).register(registry);
        Counter.builder("ratelimit.redis.failures").tags("reason", "timeout").register(registry);
    }

    /** The names that a scrape comes to, of which it fills in the labels. */
    private Set<String> metrics() {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        bindMeters(registry);
        Set<String> names = new HashSet<>();
        registry.scrape().lines().filter(line -> line.startsWith("ratelimit_")).forEach(line -> {
            names.add(line.split("[{ ]")[0]);
            matchers(line)
                    .forEach(each -> labels.computeIfAbsent(each.group(1), any -> new HashSet<>())
                            .add(each.group(2)));
        });
        return names;
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
