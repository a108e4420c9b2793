package dev.ratelimit.spring.web;

import java.util.List;

/**
 * All policies as they apply to requests, in the order of application.yml. Immutable.
 *
 * @param rules one for each policy
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
