package dev.ratelimit.spring.web;

import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.PolicyMode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What would come of a request under one policy. Immutable.
 *
 * @param reason why the filter would not ask the policy, or null if it would
 * @param charge what it would be asked for, if it would
 * @hidden
 */
public record RuleExplanation(
        ConfiguredPolicy policy,
        @Nullable String reason,
        @Nullable Planned charge) {

    /** Whether the policy would deny the request, and not just look on. */
    public boolean denies() {
        return policy.mode() == PolicyMode.ENFORCE
                && charge != null
                && !charge.decision().decision().allowed();
    }

    /**
     * What the policy would be asked for, and what it would say.
     *
     * @param key that of the bucket
     * @param sources what that was taken from
     * @param plan the name of the client's plan; null if the policy has none, or not that of the client
     * @param resetAfterNanos how long the bucket takes to be full again, without the request
     * @hidden
     */
    public record Planned(
            String key,
            List<String> sources,
            @Nullable String plan,
            long tokens,
            PolicyDecision decision,
            long resetAfterNanos) {}
}
