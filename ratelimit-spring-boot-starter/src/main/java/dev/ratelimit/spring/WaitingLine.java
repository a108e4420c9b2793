package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Takes places for callers who wait for their tokens: each has its place from the moment it asks, before all who come later,
 * and knows at once how long it has to wait. Thread-safe.
 */
final class WaitingLine {
    private final PolicyLimiter limiter;
    private final NanoClock clock;

    WaitingLine(PolicyLimiter limiter, NanoClock clock) {
        this.limiter = limiter;
        this.clock = clock;
    }

    /**
     * A place in each of the lines that a call stands in.
     *
     * @param decisions on each claim, as it was decided when the place was taken
     * @param takenAt a reading of the clock from just before
     * @param readyAt the reading at which the call may go on
     */
    record Place(List<Claim> claims, List<Decision> decisions, long takenAt, long readyAt) {}

    /** Takes the tokens of all {@code claims}, to be there within {@code maxWaitNanos}; or none, and returns null. */
    @Nullable
    Place take(List<Claim> claims, long maxWaitNanos) {
        long takenAt = clock.nanos();
        List<Decision> decisions = limiter.limiter().reserve(claims, Duration.ofNanos(maxWaitNanos));
        long waitNanos = 0;
        for (Decision decision : decisions) {
            if (!decision.allowed()) {
                return null;
            }
            waitNanos = Math.max(waitNanos, decision.retryAfterNanos());
        }
        return new Place(claims, decisions, takenAt, clock.nanos() + waitNanos);
    }

    /** Returns how long the call that has {@code place} has to wait yet; 0 or less if it may go on. */
    long waitNanos(Place place) {
        return place.readyAt - clock.nanos();
    }

    /**
     * Gives back a place that is not waited for any longer: the tokens, but for those that may have flowed in again since, as
     * they would be there twice. That is known not to be so while they are waited for under one limit.
     */
    void giveBack(Place place) {
        long nanos = clock.nanos() - place.takenAt;
        for (int i = 0; i < place.claims.size(); i++) {
            Claim claim = place.claims.get(i);
            Policy policy = claim.policy();
            boolean waits =
                    policy.limits().size() == 1 && place.decisions.get(i).retryAfterNanos() > nanos;
            long owed = claim.tokens() - (waits ? 0 : refilled(policy, nanos));
            if (owed > 0) {
                limiter.correct(policy, claim.key(), -owed);
            }
        }
    }

    /** Returns how many tokens at most flow into a bucket of {@code policy} in {@code nanos}. */
    private static long refilled(Policy policy, long nanos) {
        double most = 0;
        for (Limit limit : policy.limits()) {
            most = Math.max(
                    most,
                    (double) limit.refillTokens() * nanos / limit.refillPeriod().toNanos());
        }
        return (long) Math.ceil(most);
    }
}
