package dev.ratelimit.spring.actuate;

import dev.ratelimit.Decision;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
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

    /** Adds what a policy says of a key that asks for {@code tokens}, and has all of them in {@code resetAfterNanos} as it is. */
    Answers with(Decision decision, long tokens, long resetAfterNanos) {
        with("allowed", decision.allowed());
        with("unavailable", decision.unavailable() ? true : null);
        with("remaining", decision.remaining() + (decision.allowed() ? tokens : 0));
        with(
                "retryAfter",
                decision.never()
                        ? "never"
                        : Duration.ofNanos(decision.retryAfterNanos()).toString());
        return with("resetAfter", Duration.ofNanos(resetAfterNanos).toString());
    }

    Map<String, Object> map() {
        return answer;
    }

    /** Returns a constant as application.yml has it. */
    static String text(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns one value or several, as the actuator hands them over, as texts. */
    static List<String> texts(Object value) {
        return value instanceof Collection<?> values
                ? values.stream().map(String::valueOf).toList()
                : List.of(String.valueOf(value));
    }
}
