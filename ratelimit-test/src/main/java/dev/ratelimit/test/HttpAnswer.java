package dev.ratelimit.test;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.test.web.servlet.client.ExchangeResult;

/**
 * What a client was answered, whichever client that was. Immutable.
 *
 * <pre>{@code
 * HttpAnswer answer = new HttpAnswer(429, Map.of("Retry-After", List.of("12")), "");
 * assertThat(answer).isRateLimited().retryAfter(12);
 * }</pre>
 *
 * @param status the number of the status
 * @param headers all values by name, in whatever case
 * @param body the text of the body, empty if there is none
 */
public record HttpAnswer(int status, Map<String, List<String>> headers, String body) {

    /**
     * Creates an answer, of any client.
     *
     * @param status the number of the status
     * @param headers all values by name, in whatever case
     * @param body the text of the body, empty if there is none
     */
    public HttpAnswer {
        Map<String, List<String>> copy = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.forEach((name, values) -> copy.put(name, List.copyOf(values)));
        headers = Collections.unmodifiableMap(copy);
    }

    static HttpAnswer of(MockHttpServletResponse response) {
        Map<String, List<String>> headers = new TreeMap<>();
        response.getHeaderNames().forEach(name -> headers.put(name, response.getHeaders(name)));
        return new HttpAnswer(response.getStatus(), headers, new String(response.getContentAsByteArray(), UTF_8));
    }

    static HttpAnswer of(ExchangeResult result) {
        Map<String, List<String>> headers = new TreeMap<>();
        result.getResponseHeaders().forEach(headers::put);
        byte[] body = result.getResponseBodyContent();
        return new HttpAnswer(result.getStatus().value(), headers, new String(body, UTF_8));
    }

    static HttpAnswer of(HttpResponse<?> response) {
        Object body = response.body();
        String text = body instanceof byte[] bytes ? new String(bytes, UTF_8) : "";
        return new HttpAnswer(
                response.statusCode(), response.headers().map(), body instanceof String string ? string : text);
    }

    /** Returns the values of that header in one line, as RFC 9110 lets them be joined; empty if there is none. */
    String header(String name) {
        return String.join(", ", headers.getOrDefault(name, List.of()));
    }

    /** {@return the first line and the headers that tell of limits, for a message that fits on a screen} */
    @Override
    public String toString() {
        List<String> lines = new ArrayList<>(List.of("HTTP " + status));
        headers.forEach((name, values) -> {
            if (name.regionMatches(true, 0, "RateLimit", 0, 9)
                    || name.regionMatches(true, 0, "X-RateLimit", 0, 11)
                    || name.equalsIgnoreCase("Retry-After")) {
                lines.add(name + ": " + String.join(", ", values));
            }
        });
        return String.join("\n", lines);
    }
}
