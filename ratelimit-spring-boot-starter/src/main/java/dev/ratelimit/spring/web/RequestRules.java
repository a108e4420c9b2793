package dev.ratelimit.spring.web;

import dev.ratelimit.spring.ConfiguredPolicy;
import java.util.List;
import java.util.Map;

/**
 * All policies as they apply to requests, in the order of application.yml. Immutable.
 *
 * @param rules one for each policy
 * @hidden
 */
public record RequestRules(List<RequestRule> rules) {

    public RequestRules {
        rules = List.copyOf(rules);
    }

    /** Returns those that the filter applies in front of Spring Security. */
    public RequestRules beforeSecurity() {
        return ofPhase(false);
    }

    /** Returns those that the filter applies behind Spring Security, as their keys need the user. */
    public RequestRules afterSecurity() {
        return ofPhase(true);
    }

    /** Returns these rules under what their policies say in {@code now}. */
    RequestRules under(Map<String, ConfiguredPolicy> now) {
        return new RequestRules(rules.stream().map(rule -> rule.under(now)).toList());
    }

    private RequestRules ofPhase(boolean needsUser) {
        return new RequestRules(rules.stream()
                .filter(rule -> rule.hasPaths() && rule.needsUser() == needsUser)
                .toList());
    }

    /** Whether some of them give back what they took, depending on the response's status. */
    public boolean giveBack() {
        return rules.stream().anyMatch(rule -> rule.hasPaths() && rule.chargeOn() != ChargedStatuses.ALL);
    }
}
