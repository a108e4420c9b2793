package dev.ratelimit.test;

import static dev.ratelimit.test.RateLimitAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class HttpAnswerAssertTest {
    private final HttpAnswer allowed =
            new HttpAnswer(200, Map.of("ratelimit", List.of("\"a;r=1\";r=7;t=1, \"b\";r=12;t=9")), "hello");
    private final HttpAnswer denied = new HttpAnswer(
            429,
            Map.of("RateLimit", List.of("\"a\";r=0;t=3"), "Retry-After", List.of("3"), "Set-Cookie", List.of("secret")),
            "{\"violated-policies\":[\"a\",\"b \\\"]\"]}");

    private static HttpAnswer with(String header, String value) {
        return new HttpAnswer(200, Map.of(header, List.of(value)), "");
    }

    @Test
    void passesOnWhatIsSo() {
        assertThat(allowed).isAllowed().remaining(7);
        assertThat(denied).isRateLimited().retryAfter(3).remaining(0).violates("b \"]", "a");
    }

    @Test
    void failsOnAnAnswerOfTheOtherKind() {
        assertThatThrownBy(() -> assertThat(allowed).isRateLimited())
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("Expected the request to be denied by a limit, but it was allowed:")
                .hasMessageContaining("HTTP 200")
                .hasMessageContaining("ratelimit: \"a;r=1\";r=7;t=1");
        assertThatThrownBy(() -> assertThat(denied).as("first").isAllowed())
                .hasMessageStartingWith("[first] Expected the request to be allowed, but it was denied:")
                .hasMessageContaining("HTTP 429");
    }

    @Test
    void failsOnAnotherRetryAfterOrNone() {
        assertThatThrownBy(() -> assertThat(denied).retryAfter(4))
                .hasMessageStartingWith("Expected the client to be told to retry after <4> seconds, but it was <3>:")
                .message()
                .doesNotContain("secret");
        assertThatThrownBy(() -> assertThat(allowed).retryAfter(4)).hasMessageContaining("but it was <not told>:");
    }

    @Test
    void failsOnOtherPoliciesOrNone() {
        assertThatThrownBy(() -> assertThat(denied).violates("a")).hasMessageContaining("b \"]");
        assertThatThrownBy(() -> assertThat(allowed).violates("a"))
                .hasMessageStartingWith("Expected a problem that names the policies that denied the request, but was:")
                .hasMessageEndingWith("hello");
        assertThatThrownBy(() -> assertThat(with("RateLimit", "")).violates("a"))
                .hasMessageStartingWith("Expected a problem");
    }

    @Test
    void readsWhatRemainsInEitherDialect() {
        assertThat(with("X-RateLimit-Remaining", "4")).remaining(4);
        assertThat(with("RateLimit", "\"api\"; t=1; r=4")).remaining(4);
        assertThatThrownBy(() -> assertThat(with("RateLimit", "\"api;r=4\"")).remaining(4))
                .hasMessageStartingWith(
                        "Expected the client to be told that <4> tokens remain, but it was <not told>:");
        assertThatThrownBy(() -> assertThat(denied).remaining(4)).hasMessageContaining("but it was <0>:");
    }

    @Test
    void tellsADenialByALimitFromOneForWantOfIt() {
        HttpAnswer unavailable = new HttpAnswer(
                503,
                Map.of("Retry-After", List.of("1")),
                "{\"type\":\"https://iana.org/assignments/http-problem-types#temporary-reduced-capacity\"}");

        assertThat(unavailable).isUnavailable().retryAfter(1);
        assertThatThrownBy(() -> assertThat(unavailable).isRateLimited())
                .hasMessageStartingWith(
                        "Expected the request to be denied by a limit, but it was denied as unavailable:");
        assertThatThrownBy(() -> assertThat(unavailable).isAllowed())
                .hasMessageStartingWith("Expected the request to be allowed, but it was denied:");
        assertThatThrownBy(() -> assertThat(denied).isUnavailable())
                .hasMessageStartingWith("Expected the limit to be unavailable, but the answer was:");
        assertThat(new HttpAnswer(503, Map.of(), "down for repairs")).isAllowed();
    }
}
