package dev.ratelimit.spring.web;

import dev.ratelimit.Decision;
import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.util.HtmlUtils;

/**
 * Writes 429 with {@code Retry-After} and a problem (RFC 9457), or a short page for a browser. Thread-safe.
 *
 * <p>It names the policies that were exceeded, and never the key. Who is held to the limits of a penalty is told so by the
 * problem's type.
 */
public final class ProblemResponseWriter implements RateLimitResponseWriter {
    private static final String TYPES = "https://iana.org/assignments/http-problem-types#";
    private static final String QUOTA_EXCEEDED = "{\"type\":\"" + TYPES + "quota-exceeded\","
            + "\"title\":\"Request cannot be satisfied as assigned quota has been exceeded\"";
    private static final String ABNORMAL_USAGE = "{\"type\":\"" + TYPES + "abnormal-usage-detected\","
            + "\"title\":\"Request not satisfied due to detection of abnormal request pattern\"";
    private static final HexFormat HEX = HexFormat.of();
    private static final String HTML = "text/html;charset=UTF-8";

    @Override
    public void write(HttpServletRequest request, HttpServletResponse response, List<PolicyDecision> violations)
            throws IOException {
        response.setStatus(HttpStatus.TOO_MANY_REQUESTS.value());
        response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
        String detail = writeRetryAfter(request, response, violations);
        boolean html = AcceptedTypes.of(request).preferHtml();
        String body = html ? page(detail) : problem(request, violations, detail);
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

    /** Sets the header, unless no waiting helps, and returns the same in a sentence. */
    private static String writeRetryAfter(
            HttpServletRequest request, HttpServletResponse response, List<PolicyDecision> violations) {
        long seconds = 0;
        for (PolicyDecision violation : violations) {
            Decision decision = violation.decision();
            if (decision.never()) {
                return "The request costs more than " + violation.policy().name() + " ever grants at once.";
            }
            seconds = Math.max(seconds, Seconds.retryAfter(decision));
        }
        response.setHeader(HttpHeaders.RETRY_AFTER, Long.toString(seconds));
        RateLimitAnswer.expose(request, response, HttpHeaders.RETRY_AFTER);
        return "Try again in " + seconds + (seconds == 1 ? " second." : " seconds.");
    }

    private static String problem(HttpServletRequest request, List<PolicyDecision> violations, String detail) {
        boolean penalized = false;
        for (PolicyDecision violation : violations) {
            penalized |= violation.penalized();
        }
        StringBuilder json = new StringBuilder(512).append(penalized ? ABNORMAL_USAGE : QUOTA_EXCEEDED);
        appendQuoted(json.append(",\"status\":429,\"detail\":"), detail);
        appendQuoted(json.append(",\"instance\":"), request.getRequestURI());
        String separator = ",\"violated-policies\":[";
        for (PolicyDecision violation : violations) {
            appendQuoted(json.append(separator), violation.policy().name());
            separator = ",";
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

    private static String page(String detail) {
        return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Too many requests</title></head>\n"
                + "<body><h1>Too many requests</h1><p>" + HtmlUtils.htmlEscape(detail) + "</p></body></html>\n";
    }
}
