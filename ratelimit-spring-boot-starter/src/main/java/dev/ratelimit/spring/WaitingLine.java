package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Takes places for callers who wait for their tokens: each has its place from the moment it asks, before all who come later,
 * and knows at once how long it has to wait. Thread-safe.
 *
 * <p>A place is a debt. All tokens but one are charged; when that last one could be had is when all could; then it is charged
 * as well. In between, the bucket lacks a token and so admits nobody; the callers who might reckon with the same token are
 * those who wait, too, and a lock for each key keeps them apart. Where several processes share a limiter it does not: two of
 * them may get the same place, and go on together; the debt stands, and whoever comes next waits for both.
 */
final class WaitingLine {
    private final RateLimiter limiter;
    private final NanoClock clock;
    private final List<Lock> locks = // by a hash of the key
            IntStream.range(0, 64).<Lock>mapToObj(i -> new ReentrantLock()).toList();

    WaitingLine(RateLimiter limiter, NanoClock clock) {
        this.limiter = limiter;
        this.clock = clock;
    }

    /**
     * A place in each of the lines that a call stands in.
     *
     * @param decisions on each claim, as it was decided when the place was taken
     * @param readyAt the reading of the clock at which the call may go on
     */
    record Place(List<Claim> claims, List<Decision> decisions, long takenAt, long readyAt) {}

    /** One claim's tokens, and the reading of the clock at which they are there. */
    private record Turn(Decision decision, long readyAt) {}

    /** Takes the tokens of all {@code claims}, to be there within {@code maxWaitNanos}; or none, and returns null. */
    @Nullable
    Place take(List<Claim> claims, long maxWaitNanos) {
        long takenAt = clock.nanos();
        long readyAt = takenAt;
        List<Decision> decisions = new ArrayList<>(claims.size());
        for (Claim claim : claims) {
            Turn turn = take(claim, maxWaitNanos);
            if (turn == null) {
                claims.subList(0, decisions.size())
                        .forEach(taken -> limiter.refund(taken.policy(), taken.key(), taken.tokens()));
                return null;
            }
            decisions.add(turn.decision);
            readyAt = turn.readyAt - readyAt > 0 ? turn.readyAt : readyAt;
        }
        return new Place(claims, decisions, takenAt, readyAt);
    }

    private @Nullable Turn take(Claim claim, long maxWaitNanos) {
        Lock lock = locks.get(Math.floorMod(claim.key().hashCode(), locks.size()));
        lock.lock();
        try {
            Decision decision = limiter.tryConsume(claim.policy(), claim.key(), claim.tokens());
            while (!decision.allowed()) {
                if (!fits(decision, maxWaitNanos)) {
                    return null;
                }
                Turn turn = reserve(claim, maxWaitNanos);
                if (turn != null) {
                    return turn;
                }
                decision = limiter.tryConsume(claim.policy(), claim.key(), claim.tokens());
            }
            return new Turn(decision, clock.nanos());
        } finally {
            lock.unlock();
        }
    }

    /** Charges a claim whose tokens are not there yet; or nothing, and returns null, if that has changed by now. */
    private @Nullable Turn reserve(Claim claim, long maxWaitNanos) {
        Policy policy = claim.policy();
        String key = claim.key();
        long others = claim.tokens() - 1;
        if (others > 0) {
            limiter.charge(policy, key, others);
        }
        long before = clock.nanos();
        Decision last = limiter.tryConsume(policy, key, 1);
        long after = clock.nanos();
        if (last.allowed()) {
            return new Turn(last, after);
        }
        if (fits(last, maxWaitNanos)) {
            limiter.charge(policy, key, 1);
            if (clock.nanos() - before < last.retryAfterNanos()) { // or else another may have had that token meanwhile
                Decision behind = limiter.peek(policy, key, 1);
                return new Turn(
                        new Decision(true, behind.remaining(), 0, behind.resetAfterNanos(), last.limit()),
                        after + last.retryAfterNanos());
            }
            limiter.refund(policy, key, 1);
        }
        if (others > 0) {
            limiter.refund(policy, key, others);
        }
        return null;
    }

    private static boolean fits(Decision denial, long maxWaitNanos) {
        return !denial.never() && !denial.unavailable() && denial.retryAfterNanos() <= maxWaitNanos;
    }

    /** Returns how long the call that has {@code place} has to wait yet; 0 or less if it may go on. */
    long waitNanos(Place place) {
        return place.readyAt - clock.nanos();
    }

    /**
     * Gives back a place that is not waited for any longer: the tokens, but for those that may have flowed in again since, as
     * they would be there twice. That is known not to be so where there is one claim and one limit, which was waited for.
     */
    void giveBack(Place place) {
        long nanos = clock.nanos();
        boolean waits = place.readyAt - nanos > 0
                && place.claims.size() == 1
                && place.claims.get(0).policy().limits().size() == 1;
        for (Claim claim : place.claims) {
            long owed = claim.tokens() - (waits ? 0 : refilled(claim.policy(), nanos - place.takenAt));
            if (owed > 0) {
                limiter.refund(claim.policy(), claim.key(), owed);
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
