package dev.ratelimit;

import java.math.BigInteger;
import java.util.List;

/**
 * What a token bucket is, without rounding, threads or tricks: for each limit so many tokens at an instant, and more of
 * them as time goes by. The reference that the real ones are compared with.
 *
 * <p>Tokens are counted in parts of {@code 1 / period in nanoseconds}, of which {@code refill} flow in every nanosecond.
 * Where the clock goes back they flow out again, until it has caught up; time before the first reading is negative.
 */
final class ExactModel {
    private final List<Level> levels;
    private BigInteger now = BigInteger.ZERO;

    ExactModel(List<Limit> limits) {
        levels = limits.stream().map(Level::new).toList();
    }

    void advance(long nanos) {
        now = now.add(BigInteger.valueOf(nanos));
    }

    Decision peek(long tokens) {
        boolean allowed = levels.stream().allMatch(level -> level.holds(tokens, now));
        Decision decision = null;
        for (Level level : levels) {
            Decision next = level.decision(tokens, allowed, now);
            decision = decision == null ? next : stricter(decision, next);
        }
        if (decision == null) {
            throw new IllegalArgumentException("a model needs at least one limit");
        }
        return decision;
    }

    Decision tryConsume(long tokens) {
        Decision decision = peek(tokens);
        if (decision.allowed()) {
            take(tokens);
        }
        return decision;
    }

    /** Consumes {@code tokens}, whether they are there or not. */
    void take(long tokens) {
        levels.forEach(level -> level.add(-tokens, now));
    }

    void refund(long tokens) {
        levels.forEach(level -> level.add(tokens, now));
    }

    private static Decision stricter(Decision one, Decision other) {
        boolean otherDecides =
                one.allowed() ? other.remaining() < one.remaining() : other.retryAfterNanos() > one.retryAfterNanos();
        return new Decision(
                one.allowed(),
                Math.min(one.remaining(), other.remaining()),
                Math.max(one.retryAfterNanos(), other.retryAfterNanos()),
                Math.max(one.resetAfterNanos(), other.resetAfterNanos()),
                otherDecides ? other.limit() : one.limit());
    }

    /** What one limit had left when it was last written. */
    private static final class Level {
        private final Limit limit;
        private final BigInteger period;
        private final BigInteger refill;
        private final BigInteger capacity;
        private BigInteger amount;
        private BigInteger writtenAt = BigInteger.ZERO;

        Level(Limit limit) {
            this.limit = limit;
            period = BigInteger.valueOf(limit.refillPeriod().toNanos());
            refill = BigInteger.valueOf(limit.refillTokens());
            capacity = parts(limit.capacity());
            amount = capacity;
        }

        boolean holds(long tokens, BigInteger now) {
            return amount(now).compareTo(parts(tokens)) >= 0;
        }

        void add(long tokens, BigInteger now) {
            amount = amount(now).add(parts(tokens)).min(capacity);
            writtenAt = now;
        }

        Decision decision(long tokens, boolean allowed, BigInteger now) {
            BigInteger left = allowed ? amount(now).subtract(parts(tokens)) : amount(now);
            long remaining = left.max(BigInteger.ZERO).divide(period).longValueExact();
            return new Decision(allowed, remaining, allowed ? 0 : wait(left, tokens), nanos(capacity, left), limit);
        }

        private long wait(BigInteger amount, long tokens) {
            return tokens > limit.capacity() ? Long.MAX_VALUE : nanos(parts(tokens), amount);
        }

        /** Returns how long it takes to get from {@code amount} to {@code goal}, in nanoseconds, rounded up. */
        private long nanos(BigInteger goal, BigInteger amount) {
            BigInteger[] nanos = goal.subtract(amount).max(BigInteger.ZERO).divideAndRemainder(refill);
            return nanos[0].add(BigInteger.valueOf(nanos[1].signum())).longValueExact();
        }

        private BigInteger amount(BigInteger now) {
            return amount.add(now.subtract(writtenAt).multiply(refill)).min(capacity);
        }

        private BigInteger parts(long tokens) {
            return BigInteger.valueOf(tokens).multiply(period);
        }
    }
}
