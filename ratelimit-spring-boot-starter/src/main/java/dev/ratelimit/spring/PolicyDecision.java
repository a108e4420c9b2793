package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Policy;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * What the limiter decided under one policy. Immutable.
 *
 * @param penalized whether the policy's penalty was in force, and so the stricter of both limits decided
 */
public record PolicyDecision(Policy policy, Decision decision, boolean penalized) implements Serializable {

    /** Creates what was decided by the policy's own limits. */
    public PolicyDecision(Policy policy, Decision decision) {
        this(policy, decision, false);
    }

    /**
     * Returns what was decided on each of {@code claims}, in their order. Where one was denied, nothing was charged to the
     * others, and they say what they have rather than what they would have had.
     */
    public static List<PolicyDecision> listOf(List<Claim> claims, List<Decision> decisions) {
        boolean allowed = true;
        for (Decision decision : decisions) {
            allowed &= decision.allowed();
        }
        List<PolicyDecision> named = new ArrayList<>(claims.size());
        for (int i = 0; i < claims.size(); i++) {
            Decision decision = allowed
                    ? decisions.get(i)
                    : uncharged(decisions.get(i), claims.get(i).tokens());
            named.add(new PolicyDecision(claims.get(i).policy(), decision));
        }
        return named;
    }

    /** What has to be waited for is not there, and so without the wait it is a denial. */
    private static Decision uncharged(Decision decision, long tokens) {
        if (!decision.allowed()) {
            return decision;
        }
        long waitNanos = decision.retryAfterNanos();
        return new Decision(
                waitNanos == 0,
                waitNanos == 0 ? decision.remaining() + tokens : decision.remaining(),
                waitNanos,
                decision.resetAfterNanos(),
                decision.limit());
    }

    /** Returns what the policy says once the {@code tokens} that it allowed have been given back. */
    public PolicyDecision givenBack(long tokens) {
        return new PolicyDecision(policy, uncharged(decision, tokens), penalized);
    }

    /** Whether all of them allowed, and so are charged. */
    public static boolean areAllowed(List<PolicyDecision> decisions) {
        for (int i = 0; i < decisions.size(); i++) {
            if (!decisions.get(i).decision.allowed()) {
                return false;
            }
        }
        return true;
    }

    /** Returns those that denied; the request is allowed if there is none. */
    public static List<PolicyDecision> violationsIn(List<PolicyDecision> decisions) {
        List<PolicyDecision> violations = List.of();
        for (PolicyDecision each : decisions) {
            if (!each.decision.allowed()) {
                violations = violations.isEmpty() ? new ArrayList<>(decisions.size()) : violations;
                violations.add(each);
            }
        }
        return violations;
    }

    /** Whether none of {@code violations} is known to be one, as those who know could not be asked. */
    public static boolean areUnavailable(List<PolicyDecision> violations) {
        for (PolicyDecision each : violations) {
            if (!each.decision.unavailable()) {
                return false;
            }
        }
        return true;
    }
}
