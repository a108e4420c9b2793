package dev.ratelimit.spring.web;

import dev.ratelimit.spring.ConfiguredPolicy;
import java.util.ArrayList;
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
        List<RequestRule> under = new ArrayList<>();
        for (RequestRule rule : rules) {
            under.add(rule.under(now));
        }
        return new RequestRules(under);
    }

    private RequestRules ofPhase(boolean needsUser) {
        List<RequestRule> ofPhase = new ArrayList<>();
        for (RequestRule rule : rules) {
            if (rule.hasPaths() && rule.needsUser() == needsUser) {
                ofPhase.add(rule);
            }
        }
        return new RequestRules(ofPhase);
    }

    /** Whether some of them give back what they took, depending on the response's status. */
    public boolean giveBack() {
        for (RequestRule rule : rules) {
            if (rule.hasPaths() && rule.chargeOn() != ChargedStatuses.ALL) {
                return true;
            }
        }
        return false;
    }
}
