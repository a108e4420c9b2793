package dev.ratelimit.spring.web;

import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletResponse;
import java.util.List;

/**
 * The dialect in which header fields tell a client of its limits, on allowed and denied responses alike. A bean of this
 * type replaces the one that {@code ratelimit.headers} names. Implementations must be thread-safe.
 *
 * <pre>{@code
 * @Bean
 * RateLimitFields left() {
 *     return new RateLimitFields() {
 *         @Override
 *         public String names() {
 *             return "Left";
 *         }
 *
 *         @Override
 *         public void write(HttpServletResponse response, List<PolicyDecision> decisions) {
 *             response.setHeader("Left", Long.toString(decisions.get(0).decision().remaining()));
 *         }
 *     };
 * }
 * }</pre>
 */
public interface RateLimitFields {

    /** Says nothing. */
    RateLimitFields NONE = new RateLimitFields() {
        @Override
        public String names() {
            return "";
        }

        @Override
        public void write(HttpServletResponse response, List<PolicyDecision> decisions) {
            // nothing is to be said
        }
    };

    /**
     * {@return {@code RateLimit-Policy} and {@code RateLimit}}
     *
     * @param policies whose items are made beforehand, and are the fastest
     */
    static RateLimitFields ietf(ConfiguredPolicies policies) {
        return new IetfFields(policies);
    }

    /** {@return {@code X-RateLimit-Limit}, {@code -Remaining} and {@code -Reset}} */
    static RateLimitFields xRateLimit() {
        return new XRateLimitFields();
    }

    /** {@return the names of the fields, separated by commas, as a script of another origin needs to be let read them} */
    String names();

    /**
     * Sets the fields, in place of those that an earlier decision on the same request has set.
     *
     * @param response not on its way yet
     * @param decisions the latest of each policy that had a say, at least one, in the order of application.yml
     */
    void write(HttpServletResponse response, List<PolicyDecision> decisions);
}
