package dev.ratelimit.spring.web;

import dev.ratelimit.Claim;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.PolicyLimiter;
import java.util.concurrent.atomic.AtomicLong;

/** What one request took from one bucket. Thread-safe. */
final class Charge {
    private final RequestRule rule;
    private final PolicyLimiter limiter;
    private final Policy policy;
    private final String key;
    private final long tokens;
    private final AtomicLong standing; // tokens that are charged as things stand
    private volatile long due; // tokens that stand charged if the status asks for it

    Charge(RequestRule rule, PolicyLimiter limiter, Policy policy, String key, long tokens) {
        this.rule = rule;
        this.limiter = limiter;
        this.policy = policy;
        this.key = key;
        this.tokens = tokens;
        this.standing = new AtomicLong(tokens);
        this.due = tokens;
    }

    Policy policy() {
        return policy;
    }

    String key() {
        return key;
    }

    long tokens() {
        return tokens;
    }

    Claim claim() {
        return new Claim(policy, key, tokens);
    }

    PolicyDecision decide() {
        return limiter.decide(policy, key, tokens);
    }

    /** Decides apart from others, unseen by the client, and returns whether this was charged. */
    boolean lookOn() {
        return limiter.shadow(this::claim);
    }

    boolean dependsOnStatus() {
        return rule.chargeOn() != ChargedStatuses.ALL;
    }

    /** Gives back what was taken if {@code status} does not ask for it. */
    void decideBy(int status) {
        stand(rule.chargeOn().include(status) ? due : 0);
    }

    void settle(long actualTokens) {
        due = actualTokens;
        stand(actualTokens);
    }

    /** Charges or gives back the difference; of several threads that do, each corrects the one before. */
    private void stand(long actualTokens) {
        long more = actualTokens - standing.getAndSet(actualTokens);
        if (more > 0) {
            limiter.charge(policy, key, more);
        } else if (more < 0) {
            limiter.refund(policy, key, -more);
        }
    }
}
