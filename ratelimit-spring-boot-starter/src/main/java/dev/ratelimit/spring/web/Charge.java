package dev.ratelimit.spring.web;

import dev.ratelimit.Claim;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.PolicyLimiter;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;

/** What one request took from one bucket. Thread-safe. */
final class Charge {
    /** Rather than an AtomicLong, of which there would be one for every request. */
    private static final AtomicLongFieldUpdater<Charge> STANDING =
            AtomicLongFieldUpdater.newUpdater(Charge.class, "standing");

    private final RequestRule rule;
    private final PolicyLimiter limiter;
    private final Policy policy;
    private final String key;
    private volatile long due; // tokens that are to stand charged if the status asks for it
    private volatile long standing; // tokens that are charged as things stand

    Charge(RequestRule rule, PolicyLimiter limiter, Policy policy, String key, long tokens) {
        this.rule = rule;
        this.limiter = limiter;
        this.policy = policy;
        this.key = key;
        this.due = tokens;
        this.standing = tokens;
    }

    Policy policy() {
        return policy;
    }

    String key() {
        return key;
    }

    long tokens() {
        return due;
    }

    Claim claim() {
        return new Claim(policy, key, due);
    }

    PolicyDecision decide() {
        return limiter.decide(policy, key, due);
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

    /**
     * Notes that the {@code taken} tokens were given back, so that nothing stands charged. If they were settled before, that is
     * taken back.
     */
    void undone(long taken) {
        due = 0;
        limiter.correct(policy, key, taken - STANDING.getAndSet(this, 0));
    }

    /** Charges or gives back the difference; of several threads that do, each corrects the one before. */
    private void stand(long actualTokens) {
        limiter.correct(policy, key, actualTokens - STANDING.getAndSet(this, actualTokens));
    }
}
