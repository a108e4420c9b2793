package dev.ratelimit.test;

import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.JsonPathException;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractObjectAssert;
import org.assertj.core.api.Assertions;
import org.jspecify.annotations.Nullable;

/**
 * Assertions about a limited application's answer.
 *
 * <pre>{@code
 * assertThat(mvc.get().uri("/api/hello")).isAllowed().remaining(4);
 * assertThat(mvc.get().uri("/api/hello")).isRateLimited().retryAfter(12).violates("api");
 * }</pre>
 */
public final class HttpAnswerAssert extends AbstractObjectAssert<HttpAnswerAssert, HttpAnswer> {
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int SERVICE_UNAVAILABLE = 503;
    private static final Pattern NAMES = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"");
    private static final Pattern REMAINING = Pattern.compile("; *r=(\\d+)|^(\\d+)$");

    HttpAnswerAssert(@Nullable HttpAnswer actual) {
        super(actual, HttpAnswerAssert.class);
    }

    /**
     * Verifies that the request was not denied by a limit, whatever else came of it.
     *
     * @return these assertions
     */
    public HttpAnswerAssert isAllowed() {
        isNotNull();
        if (actual.status() == TOO_MANY_REQUESTS || saysUnavailable()) {
            failWithMessage("Expected the request to be allowed, but it was denied:%n%s%n%s", actual, actual.body());
        }
        return this;
    }

    /**
     * Verifies that the request was denied by a limit: that it was answered with 429.
     *
     * @return these assertions
     */
    public HttpAnswerAssert isRateLimited() {
        isNotNull();
        if (actual.status() != TOO_MANY_REQUESTS) {
            failWithMessage(
                    "Expected the request to be denied by a limit, but it was %s:%n%s",
                    saysUnavailable() ? "denied as unavailable" : "allowed", actual);
        }
        return this;
    }

    /**
     * Verifies that the request was denied since those who know the limit's state could not be asked: that it was answered with
     * 503 and the problem that says so.
     *
     * @return these assertions
     */
    public HttpAnswerAssert isUnavailable() {
        isNotNull();
        if (!saysUnavailable()) {
            failWithMessage("Expected the limit to be unavailable, but the answer was:%n%s%n%s", actual, actual.body());
        }
        return this;
    }

    private boolean saysUnavailable() {
        return actual.status() == SERVICE_UNAVAILABLE && actual.body().contains("#temporary-reduced-capacity\"");
    }

    /**
     * Verifies when the client is told to come back, by {@code Retry-After}.
     *
     * @param seconds from now
     * @return these assertions
     */
    public HttpAnswerAssert retryAfter(long seconds) {
        isNotNull();
        String told = actual.header("Retry-After");
        if (!told.equals(Long.toString(seconds))) {
            failWithMessage(
                    "Expected the client to be told to retry after <%s> seconds, but it was <%s>:%n%s",
                    seconds, told.isEmpty() ? "not told" : told, actual);
        }
        return this;
    }

    /**
     * Verifies how many tokens the client is told are left, by {@code RateLimit} or {@code X-RateLimit-Remaining}: the fewest
     * of all policies that had a say.
     *
     * @param tokens how many
     * @return these assertions
     */
    public HttpAnswerAssert remaining(long tokens) {
        isNotNull();
        OptionalLong told = Stream.of("RateLimit", "X-RateLimit-Remaining")
                .map(name -> NAMES.matcher(actual.header(name)).replaceAll(""))
                .flatMap(field -> REMAINING.matcher(field).results())
                .map(found -> found.group(1) == null ? found.group(2) : found.group(1))
                .mapToLong(Long::parseLong)
                .min();
        if (told.isEmpty() || told.getAsLong() != tokens) {
            failWithMessage(
                    "Expected the client to be told that <%s> tokens remain, but it was <%s>:%n%s",
                    tokens, told.isEmpty() ? "not told" : told.getAsLong(), actual);
        }
        return this;
    }

    /**
     * Verifies which policies the problem names as those that denied the request.
     *
     * @param policies all of them, in whatever order
     * @return these assertions
     */
    public HttpAnswerAssert violates(String... policies) {
        isNotNull();
        Assertions.assertThat(violated())
                .as("policies that denied the request:%n%s", actual)
                .containsExactlyInAnyOrder(policies);
        return this;
    }

    private List<String> violated() {
        try {
            return JsonPath.<List<String>>read(actual.body(), "$['violated-policies']");
        } catch (JsonPathException | IllegalArgumentException e) {
            failWithMessage(
                    "Expected a problem that names the policies that denied the request, but was:%n%s%n%s",
                    actual, actual.body());
            return List.of();
        }
    }
}
