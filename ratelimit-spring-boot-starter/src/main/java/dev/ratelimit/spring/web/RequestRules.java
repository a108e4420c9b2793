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
}
