package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.Reservation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Asks the limiter for a door, and does what the policies of application.yml say of its answers: who is denied too often
 * comes under a penalty, and all that is decided is counted. Thread-safe.
 *
 * @hidden
 */
public final class PolicyLimiter {
    private final RateLimiter limiter;
    private final ConfiguredPolicies policies;
    private final RateLimitCounts counts;
    private final boolean penalizes; // which no change of a policy changes

    /** Creates a limiter of claims on those policies, and on others that have neither counts nor penalties. */
    public PolicyLimiter(RateLimiter limiter, ConfiguredPolicies policies, RateLimitCounts counts) {
        this.limiter = limiter;
        this.policies = policies;
        this.counts = counts;
        this.penalizes = hasPenalty(policies);
    }

    private static boolean hasPenalty(ConfiguredPolicies policies) {
        for (ConfiguredPolicy each : policies.all()) {
            if (each.penalty() != null) {
                return true;
            }
        }
        return false;
    }

    /** Decides as {@link RateLimiter#tryConsume(Policy, String, long)} does, and takes note of what it decided. */
    public PolicyDecision decide(Policy policy, String key, long tokens) {
        if (penaltyInForce(policy, key) != null) {
            return decide(List.of(new Claim(policy, key, tokens))).get(0);
        }
        PolicyDecision decided = new PolicyDecision(policy, limiter.tryConsume(policy, key, tokens));
        note(key, decided, decided.decision().allowed() ? tokens : 0);
        return decided;
    }

    /** Decides all claims together, as {@link RateLimiter#tryConsume(List)} does, and takes note of what it decided. */
    public List<PolicyDecision> decide(List<Claim> claims) {
        if (penalizes) {
            return decide(claims, Duration.ZERO).decisions();
        }
        List<PolicyDecision> decisions = PolicyDecision.listOf(claims, limiter.tryConsume(claims));
        note(claims, decisions);
        return decisions;
    }

    /**
     * Decides all claims together, as {@link RateLimiter#reserve} does for a caller who waits up to {@code maxWait}, and takes
     * note of what it decided. Who is under a penalty does not wait.
     */
    public PolicyReservation decide(List<Claim> claims, Duration maxWait) {
        PolicyReservation reserved = reserve(claims, maxWait);
        note(claims, reserved.decisions());
        return reserved;
    }

    /**
     * Decides a claim under a policy that only looks on, and returns whether it was charged. Whatever goes wrong with it is
     * not for the client to see.
     */
    public boolean shadow(Supplier<Claim> claim) {
        try {
            Claim claimed = claim.get();
            return decide(claimed.policy(), claimed.key(), claimed.tokens())
                    .decision()
                    .allowed();
        } catch (RuntimeException e) {
            return false; // it comes to no decision, and so to no count
        }
    }

    /**
     * Makes sure of a name that code has for a policy.
     *
     * @throws IllegalArgumentException if there is no such policy in application.yml
     */
    public void requireConfigured(String policy) {
        policies.get(policy);
    }

    /**
     * Charges {@code more} tokens, which were used already; or gives back as many as that is below 0. If the policy was
     * changed since, that is under the limits it has now: under smaller ones that it had, the key would lose tokens.
     */
    public void correct(Policy policy, String key, long more) {
        if (more == 0) {
            return;
        }
        ConfiguredPolicy configured = policies.find(policy.name());
        Policy now = configured == null || !configured.plans().isEmpty() ? policy : configured.policy();
        if (more > 0) {
            limiter.charge(now, key, more);
        } else {
            limiter.refund(now, key, -more);
        }
        counts.correct(policy.name(), more);
    }

    /** Returns what {@link #decide(Policy, String, long)} would have; nothing is charged, and nobody takes note. */
    public PolicyDecision peek(Policy policy, String key, long tokens) {
        PolicyDecision own = new PolicyDecision(policy, limiter.peek(policy, key, tokens));
        Penalty penalty = penaltyInForce(policy, key);
        return penalty == null
                ? own
                : penalty.binding(
                        own,
                        new PolicyDecision(penalty.stricter(), limiter.peek(penalty.stricter(), key, tokens)),
                        key,
                        limiter);
    }

    /** Returns how long {@code key} takes to have all tokens again; to ask for more than there can be would charge nothing. */
    public long resetAfterNanos(Policy policy, String key) {
        long own = limiter.peek(policy, key, Long.MAX_VALUE).resetAfterNanos();
        Penalty penalty = penaltyInForce(policy, key);
        return penalty == null
                ? own
                : Math.max(
                        own,
                        limiter.peek(penalty.stricter(), key, Long.MAX_VALUE).resetAfterNanos());
    }

    /** Fills the bucket of {@code key}, and lifts a penalty that it is under. */
    public void reset(Policy policy, String key) {
        limiter.reset(policy, key);
        ConfiguredPolicy configured = policies.find(policy.name());
        Penalty penalty = configured == null ? null : configured.penalty();
        if (penalty != null) {
            penalty.lift(key, limiter);
        }
    }

    /** Returns a limiter of the same buckets whose counts are nobody's: what it is asked to look at leaves no trace. */
    public PolicyLimiter onlooker() {
        return new PolicyLimiter(limiter, policies, new RateLimitCounts(policies));
    }

    /** Counts what came of a request or a call, other than a decision. */
    public void count(String policy, Outcome outcome) {
        counts.add(policy, outcome);
    }

    /** Returns the policies of application.yml. */
    public ConfiguredPolicies policies() {
        return policies;
    }

    /** Counts what came of a call under a policy that is enforced and has no penalty, about which there is no more to do. */
    void count(Policy policy, String key, Decision decision, long tokens) {
        boolean allowed = decision.allowed();
        if (!decision.unavailable()) {
            counts.add(policy.name(), allowed ? Outcome.ALLOWED : Outcome.DENIED, key, decision, allowed ? tokens : 0);
        }
    }

    RateLimiter limiter() {
        return limiter;
    }

    private PolicyReservation reserve(List<Claim> claims, Duration maxWait) {
        @Nullable Penalty[] penalties = new @Nullable Penalty[claims.size()];
        List<Claim> all = claims;
        for (int i = 0; penalizes && i < penalties.length; i++) {
            Claim claim = claims.get(i);
            Penalty penalty = penaltyInForce(claim.policy(), claim.key());
            if (penalty != null) {
                penalties[i] = penalty;
                all = all.size() == claims.size() ? new ArrayList<>(claims) : all;
                all.add(new Claim(penalty.stricter(), claim.key(), claim.tokens()));
            }
        }
        Reservation reservation = limiter.reserve(all, all.size() == claims.size() ? maxWait : Duration.ZERO);
        List<PolicyDecision> decisions = PolicyDecision.listOf(all, reservation.decisions());
        return new PolicyReservation(
                claims,
                all.size() == claims.size() ? decisions : binding(claims, penalties, decisions),
                new Reservation(reservation.decisions(), () -> undo(claims, reservation)));
    }

    private void undo(List<Claim> claims, Reservation reservation) {
        reservation.undo();
        for (Claim claim : claims) {
            counts.correct(claim.policy().name(), -claim.tokens());
        }
    }

    /** Merges what was decided under penalties, which comes last, with what was decided on {@code claims}. */
    private List<PolicyDecision> binding(
            List<Claim> claims, @Nullable Penalty[] penalties, List<PolicyDecision> decisions) {
        List<PolicyDecision> binding = new ArrayList<>(claims.size());
        int next = claims.size();
        for (int i = 0; i < penalties.length; i++) {
            PolicyDecision own = decisions.get(i);
            Penalty penalty = penalties[i];
            binding.add(
                    penalty == null
                            ? own
                            : penalty.binding(
                                    own, decisions.get(next++), claims.get(i).key(), limiter));
        }
        return binding;
    }

    private @Nullable Penalty penaltyInForce(Policy policy, String key) {
        ConfiguredPolicy configured = penalizes ? policies.find(policy.name()) : null;
        Penalty penalty = configured == null ? null : configured.penalty();
        return penalty == null || !penalty.holds(key, limiter) ? null : penalty;
    }

    private void note(List<Claim> claims, List<PolicyDecision> decisions) {
        boolean charged = PolicyDecision.areAllowed(decisions);
        for (int i = 0; i < decisions.size(); i++) {
            Claim claim = claims.get(i);
            note(claim.key(), decisions.get(i), charged ? claim.tokens() : 0);
        }
    }

    /**
     * Counts a decision that charged {@code tokens}. A denial under a penalty does not count towards the next one. One that is
     * none of the client's doing is no denial here: the limiter, which could not ask, has counted it as degraded.
     */
    private void note(String key, PolicyDecision decided, long tokens) {
        ConfiguredPolicy policy = policies.find(decided.policy().name());
        if (policy == null || decided.decision().unavailable()) {
            return;
        }
        String name = decided.policy().name();
        counts.add(name, outcome(policy, decided), key, decided.decision(), tokens);
        Penalty penalty = policy.penalty();
        if (penalty != null && isHeldAgainstClient(decided) && penalty.follows(key, limiter)) {
            counts.add(name, Outcome.PENALIZED);
        }
    }

    private static boolean isHeldAgainstClient(PolicyDecision decided) {
        return !decided.decision().allowed() && !decided.penalized();
    }

    private static Outcome outcome(ConfiguredPolicy policy, PolicyDecision decided) {
        if (decided.decision().allowed()) {
            return Outcome.ALLOWED;
        }
        return policy.mode() == PolicyMode.SHADOW ? Outcome.SHADOW_DENIED : Outcome.DENIED;
    }
}
