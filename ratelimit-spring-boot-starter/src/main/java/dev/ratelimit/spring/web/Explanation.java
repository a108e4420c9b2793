package dev.ratelimit.spring.web;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What would come of a request. Immutable.
 *
 * @param client the address or network that the request counts as, or null if it has none
 * @param proxy the trusted proxy through which it came, or null if none did
 * @param rules of all policies, in the order of application.yml
 * @param failures which beans of the application's threw, and what did they throw
 * @hidden
 */
public record Explanation(
        @Nullable String client, @Nullable String proxy, List<RuleExplanation> rules, List<String> failures) {

    /** Whether no policy that is enforced would deny the request. */
    public boolean allowed() {
        return rules.stream().noneMatch(RuleExplanation::denies);
    }
}
