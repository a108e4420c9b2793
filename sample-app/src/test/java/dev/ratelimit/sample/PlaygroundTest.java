package dev.ratelimit.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.test.context.ActiveProfiles;
import tools.jackson.databind.JsonNode;

/** The page of the sample, in a real browser; skipped where there is none. */
@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
@ActiveProfiles("playground")
class PlaygroundTest {
    private static Browser browser;

    @TestConfiguration
    static class Time {
        @Bean
        ManualClock clock() {
            return new ManualClock(0);
        }
    }

    @LocalServerPort
    private int port;

    @Autowired
    private ManualClock clock;

    @Autowired
    private RateLimitCounts counts;

    @BeforeAll
    static void startBrowser() throws Exception {
        Optional<Browser> started = Browser.start();
        Assumptions.assumeTrue(started.isPresent(), "no Chromium on the PATH, and no -Dchrome.path");
        browser = started.get();
    }

    @AfterAll
    static void stopBrowser() throws Exception {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void openWithFullBuckets() {
        clock.advance(Duration.ofDays(1));
        open(1440, "light");
    }

    @AfterEach
    void nothingWentWrong() {
        assertThat(browser.takeErrors()).isEmpty();
    }

    private void open(int width, String scheme) {
        browser.open("about:blank", width, scheme);
        browser.open("http://127.0.0.1:" + port + "/", width, scheme);
        browser.await("document.querySelectorAll('.bucket').length === 5");
    }

    private void choose(String path) {
        browser.eval("target.value = '" + path + "', target.dispatchEvent(new Event('change'))");
    }

    private void awaitResult(String start) {
        browser.await("result.innerText.startsWith('" + start + "')");
    }

    /** Waits until the bucket of that policy is shown with so many tokens. */
    private void awaitLevel(String policy, int tokens) {
        browser.await("[...document.querySelectorAll('.bucket')].some(bucket =>"
                + "bucket.querySelector('h3').innerText.startsWith('" + policy + "')"
                + "&& bucket.querySelector('[role=meter]').getAttribute('aria-valuenow') === '" + tokens + "')");
    }

    @Test
    void sendsOneRequestAndTakesItsToken() {
        choose("/api/hello");
        browser.click("#one");

        awaitResult("One request: allowed. Hello!");
        awaitLevel("api", 4);
        assertThat(browser.text("#answers li"))
                .contains(
                        "200 allowed",
                        "GET /api/hello",
                        "RateLimit-Policy: \"api\";q=5;w=60",
                        "RateLimit: \"api\";r=4");
    }

    @Test
    void burstsUntilDenied() {
        browser.click("#burst");

        awaitResult("Burst of 20: 10 allowed, 10 denied by visitor. Come back in 1 second.");
        assertThat(browser.text("#answers")).contains("429 denied", "Retry-After: 1");
        browser.await(
                "document.querySelector('#chart-text').innerText.startsWith('10 requests allowed and 10 denied')");
        browser.await("buckets.innerText.includes('" + counts.count("visitor", Outcome.DENIED) + " denied')");
        browser.await(
                "buckets.innerText.includes('" + counts.count("trial", Outcome.SHADOW_DENIED) + " would be denied')");
    }

    @Test
    void bucketsFillAgain() {
        choose("/api/hello");
        browser.click("#burst");
        awaitResult("Burst of 20: 5 allowed, 15 denied by api. Come back in 12 seconds.");
        awaitLevel("api", 0);

        clock.advance(Duration.ofDays(1));
        awaitLevel("api", 5);
    }

    @Test
    void floodsWithNewClientsThatShareNoBucketButOne() {
        browser.click("#flood");

        awaitResult("Flood of 200 clients: 100 allowed, 100 denied by everyone. Come back in 1 second.");
        assertThat(browser.text("#result")).doesNotContain("did not believe");
        awaitLevel("visitor", 10);
        browser.click("#one");
        awaitResult("One request: 0 allowed, 1 denied by everyone");
        awaitLevel("visitor", 10);
    }

    @Test
    void explainsWhatWouldBecomeOfARequest() {
        browser.eval("path.value = '/playground/ping'");
        browser.click("#ask");

        browser.await("explained.children.length > 0");
        assertThat(browser.text("#verdict")).isEqualTo("Allowed. It counts as 127.0.0.1.");
        assertThat(browser.text("#explained"))
                .contains("visitor", "10 left; costs 1; key: ip", "The path matches none of [/api/**]");

        browser.eval("document.querySelector('#headers').focus()");
        browser.type("X-Forwarded-For: 198.18.0.1");
        browser.click("#ask");
        browser.await("verdict.innerText === 'Allowed. It counts as 198.18.0.1, through the proxy 127.0.0.1.'");
    }

    @Test
    void isOperatedByKeysAlone() {
        List<String> walk = new ArrayList<>();
        for (String id = tab(); !id.isEmpty() && walk.size() < 20; id = tab()) {
            walk.add(id);
            assertThat(browser.eval("getComputedStyle(document.activeElement).outlineStyle")
                            .asString())
                    .as("the focus of " + id)
                    .isEqualTo("solid");
        }
        assertThat(walk)
                .containsExactly(
                        "target", "one", "burst", "flood", "pause", "method", "path", "address", "headers", "ask");

        browser.eval("target.focus()");
        tab();
        browser.press("Enter", 13, "\r");
        awaitResult("One request: allowed. pong");
        tab();
        browser.press(" ", 32, " ");
        awaitResult("Burst of 20: ");
        assertThat(browser.eval("document.activeElement.id").asString()).isEqualTo("burst");
    }

    private String tab() {
        browser.press("Tab", 9, "");
        return browser.eval(
                        "document.activeElement === document.body ? '' : document.activeElement.id || document.activeElement.tagName")
                .asString();
    }

    @Test
    void givesEveryControlAName() {
        for (JsonNode node : browser.accessibilityTree()) {
            boolean focusable = node.path("properties")
                    .valueStream()
                    .anyMatch(property -> property.path("name").asString().equals("focusable")
                            && !node.at("/role/value").asString().equals("RootWebArea"));
            if (focusable || node.at("/role/value").asString().equals("meter")) {
                assertThat(node.at("/name/value").asString())
                        .as(node.toString())
                        .isNotBlank();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"320, light", "360, light", "360, dark", "768, light", "1440, light", "1440, dark"})
    void canBeReadAtAnyWidthInAnyLight(int width, String scheme) throws Exception {
        open(width, scheme);
        browser.click("#one");
        awaitResult("One request: allowed");
        browser.click("#burst");
        awaitResult("Burst");
        choose("/api/hello");
        browser.click("#burst");
        awaitResult("Burst of 20: 5");
        browser.click("#ask");
        browser.await("explained.children.length > 0");
        awaitLevel("trial", 0);
        browser.eval("scrollTo(0, 0)");
        browser.screenshot(Path.of("target", "playground-" + width + "-" + scheme + ".png"));

        assertThat(browser.eval("document.documentElement.scrollWidth").asInt()).isEqualTo(width);
        assertThat(browser.eval(Contrast.FAINT_TEXTS).valueStream().map(JsonNode::asString))
                .isEmpty();
    }
}
