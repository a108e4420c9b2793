package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;

@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = TestApplication.class,
        properties = {
            "server.forward-headers-strategy=framework", // whose filter believes every header
            "ratelimit.policies.early.limits=3/1m",
            "ratelimit.policies.filtered.limits=5/1m",
            "ratelimit.policies.filtered.paths=/filtered/**, /deferred, /callable, /broken, /forwarded, /a b, /error-dispatched",
            "ratelimit.policies.filtered.methods=GET",
            "ratelimit.policies.header.limits=5/1m",
            "ratelimit.policies.header.key=header:X-Api-Key",
            "ratelimit.policies.header.paths=/header",
            "ratelimit.policies.cookie.limits=5/1m",
            "ratelimit.policies.cookie.key=cookie:session",
            "ratelimit.policies.cookie.paths=/cookie",
            "ratelimit.policies.user.limits=5/1m",
            "ratelimit.policies.user.key=principal",
            "ratelimit.policies.user.paths=/principal",
            "ratelimit.policies.bean.limits=5/1m",
            "ratelimit.policies.bean.key=moody",
            "ratelimit.policies.bean.paths=/bean",
            "ratelimit.policies.everyone.limits=5/1m",
            "ratelimit.policies.everyone.key=global",
            "ratelimit.policies.everyone.paths=/everyone",
            "ratelimit.policies.both-first.limits=100/1m, 10/1s burst 2",
            "ratelimit.policies.both-first.paths=/both",
            "ratelimit.policies.both-second.limits=5/1m",
            "ratelimit.policies.both-second.paths=/both",
            "ratelimit.policies.annotated.limits=5/1m",
        })
class RateLimitFilterTest {
    private static final String PROBLEM = "application/problem+json";

    private final HttpClient client = HttpClient.newHttpClient();

    @LocalServerPort
    private int port;

    @Autowired
    private ManualClock clock;

    @Autowired
    private TestApplication.Endpoints endpoints;

    @BeforeEach
    void fillAllBuckets() {
        clock.advance(Duration.ofDays(1));
        endpoints.calls().set(0);
    }

    private HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        return send("GET", path, headers);
    }

    private HttpResponse<String> send(String method, String path, String... headers)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                .method(method, BodyPublishers.noBody());
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private static String header(HttpResponse<?> response, String name) {
        return String.join(" | ", response.headers().allValues(name));
    }

    private HttpResponse<String> exhaust(String path, String... headers) throws IOException, InterruptedException {
        for (int i = 0; i < 5; i++) {
            assertThat(get(path, headers).statusCode())
                    .as("request %d of 5", i + 1)
                    .isNotEqualTo(429);
        }
        return get(path, headers);
    }

    @Test
    void tellsOnAllowedResponsesWhatIsLeft() throws Exception {
        HttpResponse<String> first = get("/filtered");
        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(header(first, "RateLimit-Policy")).isEqualTo("\"filtered\";q=5;w=60");
        assertThat(header(first, "RateLimit")).isEqualTo("\"filtered\";r=4;t=12");
        assertThat(header(first, "Retry-After")).isEmpty();

        clock.advance(Duration.ofMillis(1));
        assertThat(header(get("/filtered"), "RateLimit")).isEqualTo("\"filtered\";r=3;t=12");
    }

    @Test
    void answersTheSixthOfFiveRequestsWithAProblem() throws Exception {
        HttpResponse<String> denied = exhaust("/filtered/and/deeper?secret=1");

        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "Content-Type")).isEqualTo(PROBLEM);
        assertThat(header(denied, "Cache-Control")).isEqualTo("no-store");
        assertThat(header(denied, "Retry-After")).isEqualTo("12");
        assertThat(header(denied, "RateLimit-Policy")).isEqualTo("\"filtered\";q=5;w=60");
        assertThat(header(denied, "RateLimit")).isEqualTo("\"filtered\";r=0;t=12");
        assertThat(denied.body())
                .isEqualTo("{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\","
                        + "\"title\":\"Request cannot be satisfied as assigned quota has been exceeded\",\"status\":429,"
                        + "\"detail\":\"Try again in 12 seconds.\",\"instance\":\"/filtered/and/deeper\","
                        + "\"violated-policies\":[\"filtered\"]}");
    }

    @Test
    void listsPoliciesInTheOrderOfTheConfigurationWhicheverDecidesFirst() throws Exception {
        assertThat(header(get("/filtered/and-early"), "RateLimit"))
                .isEqualTo("\"early\";r=2;t=20, \"filtered\";r=4;t=12");
    }

    @Test
    void tellsWhoIsPenalizedThatItsUsageIsAbnormal() throws Exception {
        HttpResponse<String> denied = get("/penalized");

        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(denied.body())
                .startsWith("{\"type\":\"https://iana.org/assignments/http-problem-types#abnormal-usage-detected\","
                        + "\"title\":\"Request not satisfied due to detection of abnormal request pattern\"");
    }

    @Test
    void leavesAResponseAloneThatIsOnItsWay() throws Exception {
        HttpResponse<String> denied = get("/committed");

        assertThat(denied.statusCode()).isEqualTo(200);
        assertThat(denied.body()).isEqualTo("begun");
        assertThat(header(denied, "RateLimit")).isEmpty();
    }

    @Test
    void tellsNobodyToWaitForWhatNeverPasses() throws Exception {
        HttpResponse<String> denied = get("/never-granted");

        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "Retry-After")).isEmpty();
        assertThat(denied.body()).contains("\"detail\":\"The request costs more than own ever grants at once.\"");
    }

    @Test
    void doesNotReachTheHandlerWhenItDenies() throws Exception {
        exhaust("/filtered");

        assertThat(endpoints.calls()).hasValue(5);
    }

    @Test
    void letsAClientInThatWaitedAsLongAsItWasTold() throws Exception {
        assertThat(exhaust("/filtered").statusCode()).isEqualTo(429);

        clock.advance(Duration.ofSeconds(12).minusNanos(1));
        HttpResponse<String> early = get("/filtered");
        assertThat(early.statusCode()).isEqualTo(429);
        assertThat(header(early, "Retry-After")).isEqualTo("1");
        clock.advance(Duration.ofNanos(1));
        assertThat(get("/filtered").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/annotated", "/service/acme", "/writer"})
    void answersTheSameThroughTheOtherDoor(String path) throws Exception {
        HttpResponse<String> filtered = exhaust("/filtered");
        HttpResponse<String> annotated = exhaust(path);

        String policy = path.startsWith("/service") ? "Exports.export" : "annotated";
        assertThat(withoutDate(annotated))
                .isEqualTo(withoutDate(filtered).replace("filtered", policy).replace("/" + policy + "\"", path + "\""));
        assertThat(annotated.statusCode()).isEqualTo(429);
    }

    private static String withoutDate(HttpResponse<String> response) {
        Map<String, List<String>> headers = new TreeMap<>(response.headers().map());
        headers.remove("date");
        headers.remove("content-length");
        return headers + "\n" + response.body();
    }

    @Test
    void tellsOnAllowedResponsesOfAnnotatedMethodsToo() throws Exception {
        HttpResponse<String> response = get("/service/globex");

        assertThat(header(response, "RateLimit-Policy")).isEqualTo("\"Exports.export\";q=5;w=60");
        assertThat(header(response, "RateLimit")).isEqualTo("\"Exports.export\";r=4;t=12");
    }

    @Test
    void listsThePoliciesOfBothDoorsInOneAnswer() throws Exception {
        HttpResponse<String> allowed = get("/filtered/and-annotated");
        assertThat(header(allowed, "RateLimit-Policy")).isEqualTo("\"filtered\";q=5;w=60, \"annotated\";q=5;w=60");
        for (int i = 0; i < 5; i++) {
            get("/annotated");
        }

        HttpResponse<String> denied = get("/filtered/and-annotated");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "RateLimit")).isEqualTo("\"filtered\";r=3;t=12, \"annotated\";r=0;t=12");
        assertThat(denied.body()).contains("\"violated-policies\":[\"annotated\"]");
    }

    @Test
    void saysOfPoliciesThatDidNotDenyWhatTheyStillHave() throws Exception {
        get("/both");
        get("/both");

        assertThat(header(get("/both"), "RateLimit")).isEqualTo("\"both-first-1\";r=0;t=1, \"both-second\";r=3;t=12");
    }

    @Test
    void answersForCodeThatDeniesOnItsOwnAccount() throws Exception {
        HttpResponse<String> denied = get("/own-account");

        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "RateLimit")).isEqualTo("\"own\";r=0;t=2");
        assertThat(header(denied, "Retry-After")).isEqualTo("2");
    }

    @Test
    void chargesAllMatchingPoliciesOrNone() throws Exception {
        HttpResponse<String> allowed = get("/both");
        assertThat(header(allowed, "RateLimit-Policy"))
                .isEqualTo("\"both-first-60\";q=100;w=60, \"both-first-1\";q=2;w=1, \"both-second\";q=5;w=60");
        assertThat(header(allowed, "RateLimit")).isEqualTo("\"both-first-1\";r=1;t=1, \"both-second\";r=4;t=12");
        get("/both");
        for (int i = 0; i < 3; i++) {
            HttpResponse<String> denied = get("/both");
            assertThat(denied.statusCode()).isEqualTo(429);
            assertThat(denied.body()).contains("\"violated-policies\":[\"both-first\"]");
        }

        clock.advance(Duration.ofSeconds(1));
        assertThat(header(get("/both"), "RateLimit")).contains("\"both-second\";r=2;t=12");
    }

    @Test
    void coversHeadByGetAndLeavesOtherMethodsAlone() throws Exception {
        for (int i = 0; i < 10; i++) {
            assertThat(send("POST", "/filtered").statusCode()).isEqualTo(200);
        }
        for (int i = 0; i < 5; i++) {
            assertThat(send("HEAD", "/filtered").statusCode()).isEqualTo(200);
        }
        HttpResponse<String> denied = send("HEAD", "/filtered");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "Retry-After")).isEqualTo("12");
        assertThat(denied.body()).isEmpty();
        assertThat(get("/filtered").statusCode()).isEqualTo(429);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/filtered;x=1", "/%66iltered", "/filtered/", "/filtered;jsessionid=2/x", "/a%20b"})
    void isNotDodgedByASpellingOfThePath(String spelling) throws Exception {
        for (int i = 0; i < 5; i++) {
            assertThat(get(spelling).statusCode()).isNotEqualTo(429);
        }
        assertThat(get(spelling).statusCode()).isEqualTo(429);
        assertThat(get("/filtered").statusCode()).isEqualTo(429);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/deferred", "/callable", "/broken", "/forwarded", "/filtered/missing", "/error-dispatched"})
    void chargesOnceWhateverDispatchesARequestGoesThrough(String path) throws Exception {
        assertThat(header(get(path), "RateLimit")).isEqualTo("\"filtered\";r=4;t=12");
        assertThat(header(get("/filtered"), "RateLimit")).isEqualTo("\"filtered\";r=3;t=12");
    }

    @ParameterizedTest
    @CsvSource({"/header, X-Api-Key, alpha, beta", "/bean, Mood, happy, sad", "/cookie, Cookie, session=a, session=b"})
    void keepsABucketForEachKey(String path, String header, String one, String other) throws Exception {
        assertThat(exhaust(path, header, one).statusCode()).isEqualTo(429);
        assertThat(exhaust(path, header, other).statusCode()).isEqualTo(429);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/header", "/cookie", "/principal", "/bean"})
    void fallsBackToTheAddressWhereThereIsNoKey(String path) throws Exception {
        assertThat(exhaust(path).statusCode()).isEqualTo(429);
    }

    @Test
    void fallsBackToTheAddressWhereAResolverThrows() throws Exception {
        assertThat(exhaust("/bean", "Mood", "angry").statusCode()).isEqualTo(429);
        assertThat(get("/bean").statusCode()).isEqualTo(429);
    }

    @Test
    void keepsOneBucketForEverybodyUnderAGlobalKey() throws Exception {
        assertThat(exhaust("/everyone").statusCode()).isEqualTo(429);
    }

    @Test
    void neitherChargesNorDeniesAPreflight() throws Exception {
        exhaust("/filtered");

        HttpResponse<String> preflight =
                send("OPTIONS", "/everyone", "Origin", "https://a.example", "Access-Control-Request-Method", "GET");
        assertThat(preflight.statusCode()).isNotEqualTo(429);
        assertThat(header(preflight, "RateLimit")).isEmpty();
    }

    @Test
    void letsTheScriptsOfOtherOriginsReadTheFields() throws Exception {
        assertThat(header(get("/filtered"), "Access-Control-Expose-Headers")).isEmpty();
        HttpResponse<String> allowed = get("/filtered/and-annotated", "Origin", "https://a.example");
        assertThat(header(allowed, "Access-Control-Expose-Headers")).isEqualTo("RateLimit-Policy, RateLimit");
        for (int i = 0; i < 3; i++) {
            get("/filtered");
        }
        HttpResponse<String> denied = get("/filtered", "Origin", "https://a.example");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "Access-Control-Expose-Headers"))
                .isEqualTo("RateLimit-Policy, RateLimit | Retry-After");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8 | text/html;charset=UTF-8",
                "text/html;q=0.5, application/json | application/problem+json",
                "text/html, application/problem+json | application/problem+json",
                "*/* | application/problem+json",
                "text/* | text/html;charset=UTF-8",
                "not a type, text/html | application/problem+json",
                "image/png | application/problem+json"
            })
    void answersABrowserWithAPage(String accept, String contentType) throws Exception {
        HttpResponse<String> denied = exhaust("/filtered", "Accept", accept);

        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(header(denied, "Content-Type")).isEqualTo(contentType);
        assertThat(header(denied, "Retry-After")).isEqualTo("12");
        assertThat(denied.body()).contains("Try again in 12 seconds.");
        assertThat(Integer.parseInt(header(denied, "Content-Length")))
                .isEqualTo(denied.body().length());
    }

    @Test
    void escapesWhatTheClientWroteInItsPath() throws Exception {
        for (int i = 0; i < 5; i++) {
            get("/filtered/x");
        }

        assertThat(get("/filtered/%22%3Cscript%3E%0d%0aX:1").body())
                .contains("\"instance\":\"/filtered/%22%3Cscript%3E%0d%0aX:1\"");
    }

    @Test
    void isNotToldByAHeaderWhoTheClientIs() throws Exception {
        for (int i = 0; i < 5; i++) {
            assertThat(get("/filtered", "X-Forwarded-For", "203.0.113." + i).statusCode())
                    .isEqualTo(200);
        }
        assertThat(get("/filtered", "X-Forwarded-For", "203.0.113.9").statusCode())
                .isEqualTo(429);
    }

    @Test
    void doesNotTouchRequestsThatNoPolicyCovers() throws Exception {
        HttpResponse<String> response = get("/never/free");

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().map().keySet().stream()
                        .filter(name -> name.startsWith("ratelimit"))
                        .collect(Collectors.toList()))
                .isEmpty();
    }
}
