package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.RateLimiter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks the limiter for a door, and does what the policies of application.yml say of its answers: who is denied too often
 * comes under a penalty, and all that is decided is counted. Thread-safe.
 */
public final class PolicyLimiter {
    private final RateLimiter limiter;
    private final ConfiguredPolicies policies;
    private final RateLimitCounts counts;
    private final boolean penalizes;

    /** Creates a limiter of claims on those policies, and on others that have neither counts nor penalties. */
    public PolicyLimiter(RateLimiter limiter, ConfiguredPolicies policies, RateLimitCounts counts) {
        this.limiter = limiter;
        this.policies = policies;
        this.counts = counts;
        this.penalizes = policies.all().stream().anyMatch(each -> each.penalty() != null);
    }

    /** Decides all claims together, as {@link RateLimiter#tryConsume(List)} does, and takes note of what it decided. */
    public List<PolicyDecision> decide(List<Claim> claims) {
        List<PolicyDecision> decisions = tryConsume(claims);
        note(claims, decisions);
        return decisions;
    }

    /** Decides a claim under a policy that only looks on. Whatever goes wrong with it is not for the client to see. */
    public void shadow(Supplier<Claim> claim) {
        try {
            decide(List.of(claim.get()));
        } catch (RuntimeException e) {
            // it comes to no decision, and so to no count
        }
    }

    /** Decides without taking note, for a caller who may wait and ask again. */
    List<PolicyDecision> tryConsume(List<Claim> claims) {
        if (claims.isEmpty() || !penalizes) {
            return claims.isEmpty() ? List.of() : PolicyDecision.listOf(claims, limiter.tryConsume(claims));
        }
        List<Claim> held = new ArrayList<>(claims.size());
        @Nullable Penalty[] penalties = new @Nullable Penalty[claims.size()];
        for (Claim claim : claims) {
            Penalty penalty = penaltyOf(claim);
            if (penalty != null && penalty.holds(claim.key(), limiter)) {
                penalties[held.size()] = penalty;
                held.add(new Claim(penalty.stricter(claim.policy()), claim.key(), claim.tokens()));
            } else {
                held.add(claim);
            }
        }
        List<PolicyDecision> decisions = PolicyDecision.listOf(held, limiter.tryConsume(held));
        for (int i = 0; i < penalties.length; i++) {
            Penalty penalty = penalties[i];
            if (penalty != null) {
                decisions.set(
                        i, penalty.penalized(decisions.get(i), claims.get(i).key(), limiter));
            }
        }
        return decisions;
    }

    /** Takes note of a decision that stands. A denial under a penalty does not count towards the next one. */
    void note(List<Claim> claims, List<PolicyDecision> decisions) {
        for (int i = 0; i < decisions.size(); i++) {
            PolicyDecision decided = decisions.get(i);
            ConfiguredPolicy policy = policies.find(decided.policy().name());
            if (policy == null) {
                continue;
            }
            String name = policy.policy().name();
            counts.add(name, outcome(policy, decided));
            Penalty penalty = decided.decision().allowed() || decided.penalized() ? null : policy.penalty();
            if (penalty != null && penalty.follows(claims.get(i).key(), limiter)) {
                counts.add(name, Outcome.PENALIZED);
            }
        }
    }

    private static Outcome outcome(ConfiguredPolicy policy, PolicyDecision decided) {
        if (decided.decision().allowed()) {
            return Outcome.ALLOWED;
        }
        return policy.mode() == PolicyMode.SHADOW ? Outcome.SHADOW_DENIED : Outcome.DENIED;
    }

    private @Nullable Penalty penaltyOf(Claim claim) {
        ConfiguredPolicy policy = policies.find(claim.policy().name());
        return policy == null ? null : policy.penalty();
    }
}
