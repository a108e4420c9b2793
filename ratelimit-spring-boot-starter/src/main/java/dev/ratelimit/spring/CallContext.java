package dev.ratelimit.spring;

import dev.ratelimit.Policy;
import java.util.List;

/**
 * What a call is part of, such as a web request: whose it is, and who else is to be told what was decided.
 *
 * @hidden
 */
public interface CallContext {

    /** That of a call which is part of nothing: each policy has one bucket for all of those. */
    CallContext NONE = new CallContext() {
        @Override
        public String key(String policy) {
            return Keys.GLOBAL;
        }

        @Override
        public boolean isTold() {
            return false;
        }

        @Override
        public void decided(List<PolicyDecision> decisions) {
            // nobody is to be told
        }
    };

    /** Returns the caller's key under the policy of that name, or under one in place if none is configured so. */
    String key(String policy);

    /** Returns the policy under the caller's plan; where there is no caller who could have one, that of an unknown plan. */
    default Policy policy(ConfiguredPolicy policy) {
        return policy.policy();
    }

    /** Whether the policy of that name leaves the caller alone. */
    default boolean skips(String policy) {
        return false;
    }

    /** Whether anybody is to be told what was decided. */
    default boolean isTold() {
        return true;
    }

    /** Takes note of decisions, those of one call. */
    void decided(List<PolicyDecision> decisions);
}
