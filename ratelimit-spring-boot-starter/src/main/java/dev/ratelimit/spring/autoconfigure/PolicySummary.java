package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.PolicyMode;
import dev.ratelimit.spring.web.RequestRule;
import dev.ratelimit.spring.web.RequestRules;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What is limited, in a line of the log: such as {@code Rate limits: api (5/1m by ip on /api/**), export (100/1d)}. Who has
 * misspelt {@code ratelimit} itself, under which alone a typo stops the start, sees by it that nothing is.
 */
record PolicySummary(RequestRules rules, RateLimitProperties properties, List<String> defaultKey) {
    private static final int MOST_POLICIES = 10;
    private static final int MOST_PATHS = 3;

    @Override
    public String toString() {
        return "Rate limits: "
                + (rules.rules().isEmpty()
                        ? "no policy is configured under ratelimit.policies"
                        : firstOf(rules.rules(), MOST_POLICIES, this::text));
    }

    private String text(RequestRule rule) {
        PolicyMode mode = rule.policy().mode();
        return rule.policy().policy().name() + " (" + rule.policy().limitsText()
                + (rule.paths().included().isEmpty() ? "" : " by " + key(rule) + " on " + paths(rule))
                + (mode == PolicyMode.ENFORCE ? "" : ", " + mode.toString().toLowerCase(Locale.ROOT)) + ')';
    }

    private String key(RequestRule rule) {
        RateLimitProperties.PolicyProperties policy =
                properties.policies().get(rule.policy().policy().name());
        return String.join(" and ", policy == null || policy.key() == null ? defaultKey : policy.key());
    }

    private static String paths(RequestRule rule) {
        return firstOf(rule.paths().included(), MOST_PATHS, String::valueOf);
    }

    private static <T> String firstOf(List<T> all, int most, Function<T, String> text) {
        String first = all.stream().limit(most).map(text).collect(Collectors.joining(", "));
        return all.size() > most ? first + " and " + (all.size() - most) + " more" : first;
    }
}
