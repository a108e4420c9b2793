package dev.ratelimit.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import com.jayway.jsonpath.JsonPath;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.RateLimited;
import dev.ratelimit.spring.TokenCost;
import dev.ratelimit.spring.web.RequestKeys;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.json.BasicJsonTester;
import org.springframework.boot.test.json.JsonContent;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;

@ExtendWith(OutputCaptureExtension.class)
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = RateLimitEndpointTest.Application.class,
        properties = {
            "management.endpoints.web.exposure.include=ratelimit",
            "ratelimit.policies.api.limits=5/1m",
            "ratelimit.policies.api.key=ip",
            "ratelimit.policies.api.paths=/api/**",
            "ratelimit.policies.api.exclude=/api/health",
            "ratelimit.policies.api.methods=GET,POST",
            "ratelimit.policies.secret.limits=3/1m,100/1d",
            "ratelimit.policies.secret.key=header:X-Api-Key",
            "ratelimit.policies.secret.paths=/secret",
            "ratelimit.policies.secret.penalty.after=2",
            "ratelimit.policies.secret.penalty.within=1m",
            "ratelimit.policies.secret.penalty.limits=1/10m",
            "ratelimit.policies.secret.penalty.for=1h",
            "ratelimit.policies.planned.plans.free=2/1m",
            "ratelimit.policies.planned.plans.pro=20/1m",
            "ratelimit.policies.planned.key=principal,header:X-Device",
            "ratelimit.policies.planned.paths=/planned",
            "ratelimit.policies.moody.limits=4/1m",
            "ratelimit.policies.moody.key=mood",
            "ratelimit.policies.moody.tokens=pages",
            "ratelimit.policies.moody.paths=/moody",
            "ratelimit.policies.office.limits=1/1m",
            "ratelimit.policies.office.key=ip",
            "ratelimit.policies.office.paths=/office",
            "ratelimit.policies.office.skip=10.0.0.0/8",
            "ratelimit.policies.dormant.limits=1/1m",
            "ratelimit.policies.dormant.key=global",
            "ratelimit.policies.dormant.paths=/**",
            "ratelimit.policies.dormant.mode=off",
            "ratelimit.policies.called.limits=2/1m",
            "ratelimit.policies.called.key=ip",
            "ratelimit.client-address.trusted-proxies=192.0.2.0/24",
        })
class RateLimitEndpointTest {
    private final BasicJsonTester json = new BasicJsonTester(getClass());
    private final HttpClient http = HttpClient.newHttpClient();
    private final int port;

    @Autowired
    private ManualClock clock;

    @Autowired
    private RateLimitCounts counts;

    @Autowired
    private Called called;

    RateLimitEndpointTest(@LocalServerPort int port) {
        this.port = port;
    }

    static class Application extends OkApplication {
        @Bean
        PlanResolver plans() {
            return request -> request.isUserInRole("PRO") ? "pro" : request.getHeader("Plan");
        }

        @Bean
        KeyResolver mood() {
            return request -> {
                if (request.getHeader("Mood").equals("bad")) {
                    throw new IllegalStateException("a client's secret");
                }
                return request.getHeader("Mood");
            };
        }

        @Bean
        TokenCost pages() {
            return request -> Long.parseLong(request.getParameter("pages"));
        }

        @Bean
        Called called() {
            return new Called();
        }
    }

    static class Called {
        @RateLimited(policy = "called", key = "#tenant")
        public void call(String tenant) {
            // only that it is called matters
        }
    }

    @BeforeEach
    void fillAllBuckets() {
        clock.advance(Duration.ofDays(7));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
    }

    private int status(String path, String... headers) throws Exception {
        HttpRequest.Builder request = to(path);
        return send(headers.length > 0 ? request.headers(headers) : request).statusCode();
    }

    private JsonContent<Object> read(String path) throws Exception {
        HttpResponse<String> response = send(to("/actuator/ratelimit" + path));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return json.from(response.body());
    }

    private HttpResponse<String> post(String policy, String body) throws Exception {
        return send(to("/actuator/ratelimit/policies/" + policy)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body)));
    }

    private static String query(String... parameters) {
        StringBuilder query = new StringBuilder();
        for (int i = 0; i < parameters.length; i += 2) {
            query.append(query.isEmpty() ? '?' : '&')
                    .append(parameters[i])
                    .append('=')
                    .append(URLEncoder.encode(parameters[i + 1], StandardCharsets.UTF_8));
        }
        return query.toString();
    }

    @Test
    void listsWhatApplicationYmlSays() throws Exception {
        JsonContent<Object> all = read("");

        assertThat(all)
                .extractingJsonPathArrayValue("$.policies[*].policy")
                .containsExactly("api", "secret", "planned", "moody", "office", "dormant", "called");
        assertThat(all).extractingJsonPathArrayValue("$.policies[0].limits").containsExactly("5/1m");
        assertThat(all).extractingJsonPathArrayValue("$.policies[0].paths").containsExactly("/api/**");
        assertThat(all).extractingJsonPathArrayValue("$.policies[0].exclude").containsExactly("/api/health");
        assertThat(all).extractingJsonPathArrayValue("$.policies[0].methods").containsExactly("GET", "POST");
        assertThat(all).extractingJsonPathStringValue("$.policies[0].backend").isEqualTo("local");
        assertThat(all).extractingJsonPathStringValue("$.policies[0].mode").isEqualTo("enforce");
        assertThat(all).extractingJsonPathStringValue("$.policies[2].key").isEqualTo("principal, header:X-Device");
        assertThat(all)
                .extractingJsonPathMapValue("$.policies[2].plans")
                .containsExactlyInAnyOrderEntriesOf(Map.of("free", List.of("2/1m"), "pro", List.of("20/1m")));
        assertThat(all)
                .extractingJsonPathMapValue("$.policies[1].penalty")
                .containsExactlyInAnyOrderEntriesOf(Map.of("limits", List.of("1/10m"), "for", "PT1H"));
        assertThat(all).doesNotHaveJsonPath("$.policies[0].penalty");
        assertThat(all).extractingJsonPathStringValue("$.policies[3].tokens").isEqualTo("pages");
        assertThat(all).extractingJsonPathStringValue("$.policies[5].mode").isEqualTo("off");
    }

    @Test
    void tellsWhatAKeyHasAndChargesNothing() throws Exception {
        status("/secret", "X-Api-Key", "sesame");
        String path = "/policies/secret" + query("key", "sesame");

        for (int i = 0; i < 5; i++) {
            JsonContent<Object> state = read(path);
            assertThat(state).extractingJsonPathNumberValue("$.state.remaining").isEqualTo(2);
            assertThat(state)
                    .extractingJsonPathStringValue("$.state.retryAfter")
                    .isEqualTo("PT0S");
        }
        assertThat(read("/policies/secret" + query("key", "other")))
                .extractingJsonPathNumberValue("$.state.remaining")
                .isEqualTo(3);
        status("/secret", "X-Api-Key", "sesame");
        status("/secret", "X-Api-Key", "sesame");
        assertThat(read(path))
                .extractingJsonPathStringValue("$.state.retryAfter")
                .isEqualTo("PT20S");
    }

    @Test
    void tellsWhenABucketIsFullAgain() throws Exception {
        String path = "/policies/api" + query("key", "127.0.0.1");
        assertThat(read(path))
                .extractingJsonPathStringValue("$.state.resetAfter")
                .isEqualTo("PT0S");

        status("/api/x");
        assertThat(read(path))
                .extractingJsonPathStringValue("$.state.resetAfter")
                .isEqualTo("PT12S");
    }

    @Test
    void tellsWhenABucketUnderSeveralLimitsIsFullAgain() throws Exception {
        String path = "/policies/secret" + query("key", "sesame");
        assertThat(read(path))
                .extractingJsonPathStringValue("$.state.resetAfter")
                .isEqualTo("PT0S");

        status("/secret", "X-Api-Key", "sesame");
        assertThat(read(path))
                .extractingJsonPathStringValue("$.state.resetAfter")
                .isEqualTo("PT14M24S");
        assertThat(explain("path", "/secret", "headers", "X-Api-Key:sesame"))
                .extractingJsonPathArrayValue(policy("secret") + ".resetAfter")
                .containsExactly("PT14M24S");
    }

    @Test
    void findsAKeyInEveryNotationAndByWhatElseAClientIsKnown() throws Exception {
        status("/secret");
        assertThat(read("/policies/secret" + query("key", "::ffff:127.0.0.1", "by", "ip")))
                .as("known by the address for want of a header")
                .extractingJsonPathNumberValue("$.state.remaining")
                .isEqualTo(2);

        called.call("acme");
        assertThat(read("/policies/called" + query("key", "acme", "by", "argument")))
                .extractingJsonPathNumberValue("$.state.remaining")
                .isEqualTo(1);
    }

    @Test
    void takesAValueForEachPartOfAKey() throws Exception {
        String path = "/policies/planned" + query("key", "ann", "key", "phone");

        assertThat(read(path))
                .extractingJsonPathNumberValue("$.state.remaining")
                .isEqualTo(2);
        assertThat(read(path + "&plan=pro"))
                .extractingJsonPathNumberValue("$.state.remaining")
                .isEqualTo(20);
    }

    @Test
    void resetsAKeyWithItsPenalty() throws Exception {
        for (int i = 0; i < 6; i++) {
            status("/secret", "X-Api-Key", "sesame");
        }
        String path = "/policies/secret" + query("key", "sesame");
        assertThat(read(path))
                .extractingJsonPathBooleanValue("$.state.penalized")
                .isTrue();

        assertThat(send(to("/actuator/ratelimit" + path).DELETE()).statusCode()).isEqualTo(200);

        assertThat(read(path)).doesNotHaveJsonPath("$.state.penalized");
        assertThat(read(path))
                .extractingJsonPathNumberValue("$.state.remaining")
                .isEqualTo(3);
        assertThat(status("/secret", "X-Api-Key", "sesame")).isEqualTo(200);
    }

    @Test
    void fillsTheBucketOfAClientWithAPlan(@Autowired PolicyLimiter limiter, @Autowired RequestKeys keys)
            throws Exception {
        Policy pro = Objects.requireNonNull(
                Objects.requireNonNull(limiter.policies().find("planned")).plan("pro"));
        String key = keys.keyOf(List.of("principal", "header:X-Device"), List.of("ann", "phone"));
        assertThat(limiter.decide(pro, key, 20).decision().remaining()).isZero();

        String path = "/actuator/ratelimit/policies/planned" + query("key", "ann", "key", "phone", "plan", "pro");
        assertThat(send(to(path).DELETE()).body()).contains("\"remaining\":20");
        assertThat(limiter.peek(pro, key, 20).decision().allowed()).isTrue();
    }

    @Test
    void showsWhoIsDeniedMostAndNeverAKey() throws Exception {
        for (int i = 0; i < 30; i++) {
            status("/secret", "X-Api-Key", "much-denied");
            status("/api/x");
        }
        HttpResponse<String> secret = send(to("/actuator/ratelimit/policies/secret"));
        HttpResponse<String> api = send(to("/actuator/ratelimit/policies/api"));

        String state = send(to("/actuator/ratelimit/policies/secret" + query("key", "much-denied")))
                .body();
        assertThat(json.from(secret.body()))
                .extractingJsonPathStringValue("$.topDenied[0].key")
                .isEqualTo(JsonPath.read(state, "$.state.hash"));
        assertThat(json.from(secret.body()))
                .extractingJsonPathNumberValue("$.topDenied[0].denials")
                .satisfies(denials -> assertThat(denials.longValue()).isGreaterThan(20));
        assertThat(state + secret.body()).doesNotContain("much-denied");
        assertThat(api.body()).contains("topDenied").doesNotContain("127.0.0.1");
    }

    @Test
    void showsALongKeyUnderTheHashOfItsState() throws Exception {
        String mood = "m".repeat(500);
        for (int i = 0; i < 30; i++) {
            status("/moody?pages=1", "Mood", mood);
        }
        String policy = send(to("/actuator/ratelimit/policies/moody" + query("key", mood)))
                .body();

        assertThat(json.from(policy))
                .extractingJsonPathArrayValue("$.topDenied[*].key")
                .contains(JsonPath.<String>read(policy, "$.state.hash"));
    }

    @Test
    void changesAPolicyWhileRequestsRun(CapturedOutput output) throws Exception {
        status("/api/x");
        HttpResponse<String> changed = post("api", "{\"limits\": \"50/1m, 9/1s\", \"mode\": \"shadow\"}");
        try {
            assertThat(changed.statusCode()).as(changed.body()).isEqualTo(200);
            assertThat(json.from(changed.body()))
                    .extractingJsonPathArrayValue("$.limits")
                    .containsExactly("50/1m", "9/1s");
            assertThat(json.from(changed.body()))
                    .extractingJsonPathStringValue("$.mode")
                    .isEqualTo("shadow");
            assertThat(read("/policies/api" + query("key", "127.0.0.1")))
                    .extractingJsonPathNumberValue("$.state.remaining")
                    .isEqualTo(4);
            assertThat(output).contains("policy api has changed: limits 5/1m -> 50/1m, 9/1s, mode enforce -> shadow");
        } finally {
            assertThat(post("api", "{\"limits\": \"5/1m\", \"mode\": \"enforce\"}")
                            .statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void changesPlans() throws Exception {
        assertThat(post("planned", "{\"plans\": \"free: 3/1m; pro: 30/1m, 5/1s\"}")
                        .body())
                .contains("\"plans\":{\"free\":[\"3/1m\"],\"pro\":[\"30/1m\",\"5/1s\"]}");
        assertThat(post("planned", "{\"plans\": \"free: 2/1m; pro: 20/1m\"}").statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"limits\": \"often\"} | ratelimit.policies.api.limits is wrong: not a limit: \\\"often\\\"; write"
                        + " tokens/period, as in 100/1m or 100/1m burst 200",
                "{\"limits\": \"0/1m\"} | ratelimit.policies.api.limits is wrong: capacity must be positive: 0",
                "{\"mode\": \"shadwo\"} | ratelimit.policies.api.mode is \\\"shadwo\\\", but must be one of enforce, shadow, off",
                "{\"limits\": \"9/1m\", \"paths\": \"/x\", \"key\": \"ip\"} | unknown: key, paths; limits, plans and mode",
                "{\"plans\": \"free\"} | plans must be names",
                "{\"plans\": \"free: 1/1m\"} | ratelimit.policies.api.plans has come or gone",
                "{} | limits, plans or mode is missing",
            })
    void refusesWhatTheStartWould(String body, String sentence) throws Exception {
        HttpResponse<String> refused = post("api", body);

        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(400);
        assertThat(refused.body()).contains(sentence);
        assertThat(read("/policies/api"))
                .extractingJsonPathArrayValue("$.limits")
                .containsExactly("5/1m");
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /policies/apo, 404",
        "GET, /policy/api, 404",
        "GET, /explanation, 404",
        "GET, /explain, 400",
        "GET, /explain?path=api, 400",
        "GET, /explain?path=/x&address=somewhere, 400",
        "GET, /explain?path=/x&headers=X, 400",
        "GET, /policies/api?key=somewhere, 400",
        "GET, /policies/planned?key=one, 400",
        "GET, /policies/secret?key=x&by=nothing, 400",
        "GET, /policies/planned?key=a&key=b&plan=gold, 400",
        "DELETE, /policies/api, 400",
        "DELETE, /policies/planned?key=a&key=b, 400",
        "DELETE, /policies/planned?key=a&key=b&plan=gold, 400",
        "DELETE, /policies/apo?key=127.0.0.1, 404",
        "DELETE, /policies/dormant, 200"
    })
    void saysWhatIsNotThereAndWhatIsWrong(String method, String path, int status) throws Exception {
        HttpResponse<String> response = send(to("/actuator/ratelimit" + path).method(method, BodyPublishers.noBody()));

        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.body()).contains(status == 200 ? "\"remaining\":1" : "\"error\":\"");
    }

    @ParameterizedTest
    @CsvSource({
        "/policies, 'policies is to be followed by the name of one, as in policies/api'",
        "/policies/api?key=::1&plan=pro, 'no plan is named \\\"pro\\\"; there are: none'",
        "/policies/planned?key=a&key=b&plan=gold, 'no plan is named \\\"gold\\\"; there are: free, pro'",
    })
    void saysWhatThereIs(String path, String sentence) throws Exception {
        assertThat(send(to("/actuator/ratelimit" + path)).body()).contains(sentence);
    }

    private JsonContent<Object> explain(String... parameters) throws Exception {
        return read("/explain" + query(parameters));
    }

    private static String policy(String name) {
        return "$.policies[?(@.policy=='" + name + "')]";
    }

    @Test
    void explainsWhichPoliciesARequestIsUnderAndWhyNotUnderOthers() throws Exception {
        JsonContent<Object> explained = explain("path", "/api/x", "address", "203.0.113.7");

        assertThat(explained).extractingJsonPathStringValue("$.client").isEqualTo("203.0.113.7");
        assertThat(explained).extractingJsonPathBooleanValue("$.allowed").isTrue();
        assertThat(explained)
                .extractingJsonPathArrayValue(policy("api") + ".keyFrom[0]")
                .containsExactly("ip");
        assertThat(explained)
                .extractingJsonPathArrayValue(policy("api") + ".remaining")
                .containsExactly(5);
        assertThat(explained)
                .extractingJsonPathArrayValue("$.policies[*].reason")
                .containsExactly(
                        "the path matches none of [/secret]",
                        "the path matches none of [/planned]",
                        "the path matches none of [/moody]",
                        "the path matches none of [/office]",
                        "its mode is off",
                        "it has no paths: it is for @RateLimited and for code");
        assertThat(explain("path", "/api/health"))
                .extractingJsonPathArrayValue(policy("api") + ".reason")
                .containsExactly("the path is excluded by one of [/api/health]");
        assertThat(explain("path", "/api/x", "method", "delete"))
                .extractingJsonPathArrayValue(policy("api") + ".reason")
                .asString()
                .contains("the method is none of");
        assertThat(explain("path", "/office", "address", "10.1.2.3"))
                .extractingJsonPathArrayValue(policy("office") + ".reason")
                .containsExactly("it skips this client");
        assertThat(explain("path", "/moody?pages=0", "headers", "Mood:fine"))
                .extractingJsonPathArrayValue(policy("moody") + ".reason")
                .containsExactly("the request costs no tokens");
    }

    @Test
    void explainsWhereAKeyComesFrom() throws Exception {
        JsonContent<Object> byHeader = explain("path", "/secret", "headers", "X-Api-Key:sesame");
        assertThat(byHeader)
                .extractingJsonPathArrayValue(policy("secret") + ".keyFrom[0]")
                .containsExactly("header X-Api-Key");
        assertThat(byHeader.getJson()).doesNotContain("sesame");
        assertThat(explain("path", "/secret", "principal", "ann", "address", "127.0.0.1"))
                .extractingJsonPathArrayValue(policy("secret") + ".keyFrom[0]")
                .containsExactly("principal");
        assertThat(explain("path", "/secret", "address", "127.0.0.1"))
                .extractingJsonPathArrayValue(policy("secret") + ".keyFrom[0]")
                .containsExactly("ip");
        assertThat(explain("path", "/secret"))
                .extractingJsonPathArrayValue(policy("secret") + ".keyFrom[0]")
                .containsExactly("unattributed");
        JsonContent<Object> proxied = explain(
                "path",
                "/api/x",
                "address",
                "192.0.2.1",
                "headers",
                "X-Forwarded-For:1.1.1.1, 198.51.100.9, 192.0.2.7");
        assertThat(proxied).extractingJsonPathStringValue("$.client").isEqualTo("198.51.100.9");
        assertThat(proxied).extractingJsonPathStringValue("$.proxy").isEqualTo("192.0.2.1");
    }

    @Test
    void explainsADenialAndLeavesNoTrace() throws Exception {
        for (int i = 0; i < 7; i++) {
            status("/api/x");
        }
        long denied = counts.count("api", Outcome.DENIED);
        for (int i = 0; i < 3; i++) {
            JsonContent<Object> explained = explain("path", "/api/x", "address", "127.0.0.1");
            assertThat(explained).extractingJsonPathBooleanValue("$.allowed").isFalse();
            assertThat(explained)
                    .extractingJsonPathArrayValue(policy("api") + ".retryAfter")
                    .containsExactly("PT12S");
        }
        explain("path", "/office", "address", "10.1.2.3");
        explain("path", "/planned", "principal", "ann", "headers", "Plan:gold");

        assertThat(counts.count("api", Outcome.DENIED)).isEqualTo(denied);
        assertThat(counts.count("office", Outcome.SKIPPED)).isZero();
        assertThat(counts.count("planned", Outcome.UNKNOWN_PLAN)).isZero();
        clock.advance(Duration.ofSeconds(12));
        assertThat(status("/api/x")).isEqualTo(200);
    }

    @Test
    void saysWhichBeanCouldNotTell() throws Exception {
        JsonContent<Object> planned = explain("path", "/planned", "principal", "ann");
        assertThat(planned)
                .extractingJsonPathArrayValue(policy("planned") + ".plan")
                .containsExactly("unknown");
        assertThat(planned)
                .extractingJsonPathArrayValue("$.failures")
                .containsExactly("the PlanResolver threw Undescribed: isUserInRole is not described");
        JsonContent<Object> moody = explain("path", "/moody?pages=2", "headers", "Mood:bad", "principal", "ann");
        assertThat(moody)
                .extractingJsonPathArrayValue("$.failures")
                .containsExactly("KeyResolver mood threw IllegalStateException");
        assertThat(moody)
                .extractingJsonPathArrayValue(policy("moody") + ".keyFrom[0]")
                .containsExactly("principal");
        assertThat(moody)
                .extractingJsonPathArrayValue(policy("moody") + ".tokens")
                .containsExactly(2);
        assertThat(moody.getJson()).doesNotContain("a client's secret");
    }
}
