package dev.ratelimit.spring.web;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.math.BigInteger;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.springframework.http.HttpHeaders;

/**
 * Writes {@code RateLimit-Policy} and {@code RateLimit} as draft-ietf-httpapi-ratelimit-headers-11 has them. Thread-safe.
 *
 * <p>Each is a list of names with parameters: the quota q and the window w in seconds of a policy; the tokens r that are
 * left, and the seconds t in which no more than those can be used: until the next token flows in, or the denied request
 * could pass. All numbers are whole, of at most 15 digits. Where a policy has several limits, each goes by the policy's name
 * and its window.
 */
final class RateLimitFields {
    private static final String POLICY = "RateLimit-Policy";
    private static final String STATE = "RateLimit";
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final long MAX_INTEGER = 999_999_999_999_999L;

    /** Policies are few, and their fields never change. */
    private final Map<Policy, String> policyFields = new ConcurrentHashMap<>();

    void write(HttpServletResponse response, Collection<PolicyDecision> decisions) {
        StringBuilder policies = new StringBuilder();
        StringBuilder states = new StringBuilder();
        for (PolicyDecision each : decisions) {
            String separator = policies.isEmpty() ? "" : ", ";
            policies.append(separator)
                    .append(policyFields.computeIfAbsent(each.policy(), RateLimitFields::policyField));
            states.append(separator);
            appendState(states, each);
        }
        response.setHeader(POLICY, policies.toString());
        response.setHeader(STATE, states.toString());
    }

    /** Lets a script of another origin read the fields. */
    void expose(HttpServletRequest request, HttpServletResponse response) {
        expose(request, response, POLICY + ", " + STATE);
    }

    static void expose(HttpServletRequest request, HttpServletResponse response, String fields) {
        if (request.getHeader(HttpHeaders.ORIGIN) != null) {
            response.addHeader(HttpHeaders.ACCESS_CONTROL_EXPOSE_HEADERS, fields);
        }
    }

    private static String policyField(Policy policy) {
        return policy.limits().stream()
                .map(limit -> '"' + name(policy, limit) + "\";q=" + Math.min(limit.capacity(), MAX_INTEGER) + ";w="
                        + windowSeconds(limit))
                .collect(Collectors.joining(", "));
    }

    private static void appendState(StringBuilder text, PolicyDecision each) {
        Decision decision = each.decision();
        text.append('"').append(name(each.policy(), decision.limit())).append("\";r=");
        text.append(Math.min(decision.remaining(), MAX_INTEGER)).append(";t=");
        text.append(
                decision.allowed() || decision.never()
                        ? ceilSeconds(Math.min(decision.resetAfterNanos(), tokenIntervalNanos(decision.limit())))
                        : retryAfterSeconds(decision));
    }

    private static long tokenIntervalNanos(Limit limit) {
        return (limit.refillPeriod().toNanos() - 1) / limit.refillTokens() + 1;
    }

    /** Returns whole seconds, rounded up and at least 1: a client that waits them is let in. */
    static long retryAfterSeconds(Decision decision) {
        return Math.max(1, ceilSeconds(decision.retryAfterNanos()));
    }

    private static long ceilSeconds(long nanos) {
        return nanos / NANOS_PER_SECOND + (nanos % NANOS_PER_SECOND > 0 ? 1 : 0);
    }

    /** Returns the seconds in which an empty bucket fills, rounded up. */
    private static long windowSeconds(Limit limit) {
        BigInteger nanos = BigInteger.valueOf(limit.capacity())
                .multiply(BigInteger.valueOf(limit.refillPeriod().toNanos()));
        BigInteger perSecond = BigInteger.valueOf(limit.refillTokens()).multiply(BigInteger.valueOf(NANOS_PER_SECOND));
        return nanos.add(perSecond).subtract(BigInteger.ONE).divide(perSecond).longValueExact();
    }

    private static String name(Policy policy, Limit limit) {
        String name = policy.limits().size() == 1 ? policy.name() : policy.name() + '-' + windowSeconds(limit);
        return escaped(name);
    }

    /** A structured field's string (RFC 9651, section 3.3.3) holds printable ASCII only. */
    private static String escaped(String name) {
        StringBuilder text = new StringBuilder(name.length());
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\');
            }
            text.append(c < ' ' || c > '~' ? '?' : c);
        }
        return text.toString();
    }
}
