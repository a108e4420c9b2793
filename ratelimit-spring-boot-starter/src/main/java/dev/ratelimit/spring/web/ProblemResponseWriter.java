package dev.ratelimit.spring.web;

import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.util.HtmlUtils;

/**
 * Writes 429 with a problem (RFC 9457), or a short page for a browser. Thread-safe.
 *
 * <p>It names the policies that were exceeded, and never the key. Who is held to the limits of a penalty is told so by the
 * problem's type. Where none is known to be exceeded, as those who know could not be asked, it is a 503.
 *
 * <pre>{@code
 * @Bean
 * RateLimitResponseWriter noted() {
 *     RateLimitResponseWriter problem = new ProblemResponseWriter();
 *     return (request, response, violations) -> {
 *         response.setHeader("X-Support", "limits@example.com");
 *         problem.write(request, response, violations);
 *     };
 * }
 * }</pre>
 */
public final class ProblemResponseWriter implements RateLimitResponseWriter {
    private static final HexFormat HEX = HexFormat.of();
    private static final String HTML = "text/html;charset=UTF-8";

    /** What may be the matter, as draft-ietf-httpapi-ratelimit-headers-11 has it. */
    private enum Problem {
        QUOTA_EXCEEDED(
                HttpStatus.TOO_MANY_REQUESTS,
                "quota-exceeded",
                "Request cannot be satisfied as assigned quota has been exceeded"),
        ABNORMAL_USAGE(
                HttpStatus.TOO_MANY_REQUESTS,
                "abnormal-usage-detected",
                "Request not satisfied due to detection of abnormal request pattern"),
        REDUCED_CAPACITY(
                HttpStatus.SERVICE_UNAVAILABLE,
                "temporary-reduced-capacity",
                "Request cannot be satisfied due to temporary server capacity constraints");

        private final HttpStatus status;
        private final String json; // how it begins

        Problem(HttpStatus status, String type, String title) {
            this.status = status;
            this.json = "{\"type\":\"https://iana.org/assignments/http-problem-types#" + type + "\",\"title\":\""
                    + title + "\",\"status\":" + status.value();
        }

        static Problem of(List<PolicyDecision> violations) {
            if (PolicyDecision.areUnavailable(violations)) {
                return REDUCED_CAPACITY;
            }
            boolean penalized = false;
            for (PolicyDecision violation : violations) {
                penalized |= violation.penalized() && !violation.decision().unavailable();
            }
            return penalized ? ABNORMAL_USAGE : QUOTA_EXCEEDED;
        }

        /** Whether it is one of that policy: what is known to be exceeded is told apart from what is not. */
        boolean isOf(PolicyDecision violation) {
            return violation.decision().unavailable() == (this == REDUCED_CAPACITY);
        }
    }

    /** Creates the writer, which has no state. */
    public ProblemResponseWriter() {}

    @Override
    public void write(HttpServletRequest request, HttpServletResponse response, List<PolicyDecision> violations)
            throws IOException {
        Problem problem = Problem.of(violations);
        response.setStatus(problem.status.value());
        String detail = detail(violations);
        boolean html = AcceptedTypes.of(request).preferHtml();
        String body = html ? page(problem, detail) : json(problem, request, violations, detail);
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        response.setContentType(html ? HTML : MediaType.APPLICATION_PROBLEM_JSON_VALUE);
        response.setContentLength(bytes.length);
        if (!"HEAD".equals(request.getMethod())) {
            writeBody(response, body, bytes);
        }
    }

    /** A handler may have asked for the response's writer before it was denied, and then there is no stream to be had. */
    private static void writeBody(HttpServletResponse response, String body, byte[] bytes) throws IOException {
        OutputStream stream;
        try {
            stream = response.getOutputStream();
        } catch (IllegalStateException e) {
            response.getWriter().write(body);
            return;
        }
        stream.write(bytes);
    }

    /** Returns what {@code Retry-After} says, in a sentence. */
    private static String detail(List<PolicyDecision> violations) {
        PolicyDecision never = RateLimitAnswer.neverIn(violations);
        if (never != null) {
            return "The request costs more than " + never.policy().name() + " ever grants at once.";
        }
        long seconds = Seconds.retryAfter(violations);
        return "Try again in " + seconds + (seconds == 1 ? " second." : " seconds.");
    }

    private static String json(
            Problem problem, HttpServletRequest request, List<PolicyDecision> violations, String detail) {
        StringBuilder json = new StringBuilder(512).append(problem.json);
        appendQuoted(json.append(",\"detail\":"), detail);
        appendQuoted(json.append(",\"instance\":"), request.getRequestURI());
        String separator = ",\"violated-policies\":[";
        for (PolicyDecision violation : violations) {
            if (problem.isOf(violation)) {
                appendQuoted(json.append(separator), violation.policy().name());
                separator = ",";
            }
        }
        return json.append("]}").toString();
    }

    private static void appendQuoted(StringBuilder json, String text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                json.append("\\u").append(HEX.toHexDigits(c));
            } else {
                json.append(c);
            }
        }
        json.append('"');
    }

    private static String page(Problem problem, String detail) {
        String title = problem == Problem.REDUCED_CAPACITY ? "Temporarily unavailable" : "Too many requests";
        return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + title + "</title></head>\n"
                + "<body><h1>" + title + "</h1><p>" + HtmlUtils.htmlEscape(detail) + "</p></body></html>\n";
    }
}
