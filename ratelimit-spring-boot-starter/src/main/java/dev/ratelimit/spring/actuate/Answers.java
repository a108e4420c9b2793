package dev.ratelimit.spring.actuate;

import dev.ratelimit.Decision;
import dev.ratelimit.Policy;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the endpoint answers, put together: an answer leaves out what there is nothing to say of. Not thread-safe. */
final class Answers {
    private final Map<String, Object> answer = new LinkedHashMap<>();

    Answers with(String name, @Nullable Object value) {
        if (value != null) {
            answer.put(name, value);
        }
        return this;
    }

    /** Adds what a policy says of a key that asks for {@code tokens}. */
    Answers with(Policy policy, Decision decision, long tokens) {
        with("allowed", decision.allowed());
        with("unavailable", decision.unavailable() ? true : null);
        with("remaining", decision.remaining() + (decision.allowed() ? tokens : 0));
        with(
                "retryAfter",
                decision.never()
                        ? "never"
                        : Duration.ofNanos(decision.retryAfterNanos()).toString());
        return with(
                "resetAfter",
                Duration.ofNanos(resetAfterNanos(policy, decision, tokens)).toString());
    }

    /**
     * Takes back from the time to full what the tokens that were not charged would have added. Under several limits that is
     * not known, and it stands as after the charge.
     */
    private static long resetAfterNanos(Policy policy, Decision decision, long tokens) {
        if (!decision.allowed() || policy.limits().size() > 1) {
            return decision.resetAfterNanos();
        }
        double nanos = (double) decision.limit().refillPeriod().toNanos()
                * tokens
                / decision.limit().refillTokens();
        return Math.max(0, decision.resetAfterNanos() - (long) Math.floor(nanos));
    }

    Map<String, Object> map() {
        return answer;
    }
}
