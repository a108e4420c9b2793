package dev.ratelimit.spring.redis;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A policy as Redis has it, and the share of it that one of the processes has while Redis is not there. Immutable. */
final class RedisPolicy {
    static final int VERSION = 2; // of what is in Redis
    private static final long NANOS_TO_RECOVER = TimeUnit.SECONDS.toNanos(1);

    final Policy policy;
    final Policy share;
    private final RedisLimit[] limits;
    private final byte[] terms; // as the script reads them

    RedisPolicy(Policy policy, int instances) {
        this.policy = policy;
        share = new Policy(
                policy.name(),
                policy.limits().stream().map(limit -> share(limit, instances)).toList());
        limits = policy.limits().stream().map(RedisLimit::new).toArray(RedisLimit[]::new);
        terms = terms(limits);
    }

    private static byte[] terms(RedisLimit[] limits) {
        MessagePack terms = new MessagePack().add(VERSION).add(limits.length);
        for (RedisLimit limit : limits) {
            terms.add(limit.limit.capacity()).add(limit.ticksPerMicro).add(limit.ticksPerToken);
        }
        return terms.bytes();
    }

    private static Limit share(Limit limit, int instances) {
        Duration period = limit.refillPeriod().multipliedBy(instances);
        try {
            return new Limit(Math.max(1, limit.capacity() / instances), limit.refillTokens(), period);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "the share of one of " + instances + " instances in " + limit + " is out of range: "
                            + e.getMessage(),
                    e);
        }
    }

    int size() {
        return limits.length;
    }

    /** Returns what a value in Redis begins with. */
    byte[] terms() {
        return terms;
    }

    /** Returns what is left of {@code debts} after {@code micros}. */
    long[] paid(long[] debts, long micros) {
        long[] paid = new long[limits.length];
        for (int i = 0; i < limits.length; i++) {
            paid[i] = limits[i].paid(debts[i], micros);
        }
        return paid;
    }

    /** Returns {@code debts} after {@code tokens} more, which were allowed. */
    long[] charged(long[] debts, long tokens) {
        long[] charged = new long[limits.length];
        for (int i = 0; i < limits.length; i++) {
            charged[i] = limits[i].charged(debts[i], tokens);
        }
        return charged;
    }

    /**
     * Returns what consuming {@code tokens} on top of {@code debts} comes to, for a caller who waits up to
     * {@code patienceMicros}. The wait is the decision's {@code retryAfterNanos}, also if it is allowed.
     */
    Decision decide(long[] debts, long tokens, long patienceMicros) {
        boolean allowed = fits(debts, tokens, patienceMicros);
        long remaining = Long.MAX_VALUE;
        long waitNanos = 0;
        long resetAfterNanos = 0;
        Limit decider = limits[0].limit;
        for (int i = 0; i < limits.length; i++) {
            RedisLimit limit = limits[i];
            long debt = allowed ? limit.charged(debts[i], tokens) : debts[i];
            long left = limit.tokens(debt);
            long wait = limit.waitNanos(debts[i], tokens);
            if (allowed ? left < remaining : wait > waitNanos) {
                decider = limit.limit;
            }
            remaining = Math.min(remaining, left);
            waitNanos = Math.max(waitNanos, wait);
            resetAfterNanos = Math.max(resetAfterNanos, limit.nanos(debt));
        }
        return new Decision(allowed, remaining, waitNanos, resetAfterNanos, decider);
    }

    private boolean fits(long[] debts, long tokens, long patienceMicros) {
        for (int i = 0; i < limits.length; i++) {
            if (!limits[i].fits(debts[i], tokens, patienceMicros)) {
                return false;
            }
        }
        return true;
    }

    /** Returns the decision of a bucket that nothing was taken from. */
    Decision decideFull(long tokens) {
        return decide(new long[limits.length], tokens, 0);
    }

    /** Returns the decision of nobody. */
    Decision unavailable() {
        return new Decision(
                false, 0, NANOS_TO_RECOVER, NANOS_TO_RECOVER, policy.limits().get(0), true);
    }

    /** Returns a decision of the {@link #share} as one of the policy, whose limits are those that clients know. */
    Decision told(Decision decision, long tokens) {
        if (decision.never() && !decideFull(tokens).never()) { // more than a share ever holds
            return unavailable();
        }
        int i = share.limits().indexOf(decision.limit());
        return new Decision(
                decision.allowed(),
                decision.remaining(),
                decision.retryAfterNanos(),
                decision.resetAfterNanos(),
                policy.limits().get(i));
    }
}
