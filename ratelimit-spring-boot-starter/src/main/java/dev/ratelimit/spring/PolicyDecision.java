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
 * <pre>{@code
 * for (PolicyDecision violation : denied.violations()) {
 *     log.info(violation.policy().name() + (violation.penalized() ? " punishes" : " denies"));
 * }
 * }</pre>
 *
 * @param policy under which limits it was decided
 * @param decision what was decided
 * @param penalized whether the policy's penalty was in force, and so the stricter of both limits decided
 */
public record PolicyDecision(Policy policy, Decision decision, boolean penalized) implements Serializable {

    /**
     * Creates what was decided by the policy's own limits.
     *
     * @param policy under which limits it was decided
     * @param decision what was decided
     */
    public PolicyDecision(Policy policy, Decision decision) {
        this(policy, decision, false);
    }

    /**
     * {@return what was decided on each of {@code claims}, in their order} Where one was denied, nothing was charged to the
     * others, and they say what they have rather than what they would have had.
     *
     * @param claims what was asked for
     * @param decisions one for each claim
     * @hidden
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
    PolicyDecision givenBack(long tokens) {
        return new PolicyDecision(policy, uncharged(decision, tokens), penalized);
    }

    /**
     * {@return whether all of them allowed, and so are charged}
     *
     * @param decisions those on one request or call
     * @hidden
     */
    public static boolean areAllowed(List<PolicyDecision> decisions) {
        for (int i = 0; i < decisions.size(); i++) {
            if (!decisions.get(i).decision.allowed()) {
                return false;
            }
        }
        return true;
    }

    /**
     * {@return those that denied; the request is allowed if there is none}
     *
     * @param decisions those on one request or call
     * @hidden
     */
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

    /**
     * {@return whether none of {@code violations} is known to be one, as those who know could not be asked}
     *
     * @param violations policies that denied
     */
    public static boolean areUnavailable(List<PolicyDecision> violations) {
        for (PolicyDecision each : violations) {
            if (!each.decision.unavailable()) {
                return false;
            }
        }
        return true;
    }
}
