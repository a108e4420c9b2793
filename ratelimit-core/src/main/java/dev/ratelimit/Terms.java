package dev.ratelimit;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What all buckets of one policy have in common: the limits and the clock. Immutable.
 *
 * <p>A bucket's state is an array of {@code long}: for each limit its {@code fullAt}, and last the anchor of them all. The
 * methods here read and write such an array, all limits or none; whoever calls them guards it.
 */
final class Terms {
    final NanoClock clock;
    private final Gcra[] limits;
    private final long slackNanos;

    Terms(List<Limit> limits, NanoClock clock) {
        if (limits.isEmpty()) {
            throw new IllegalArgumentException("a bucket needs at least one limit");
        }
        this.limits = limits.stream().map(Gcra::new).toArray(Gcra[]::new);
        this.slackNanos =
                Stream.of(this.limits).mapToLong(each -> each.slackNanos).min().orElseThrow();
        this.clock = clock;
    }

    int size() {
        return limits.length;
    }

    Gcra first() {
        return limits[0];
    }

    /** Returns the longest time that any of the limits takes to fill an empty bucket. */
    long nanosToFull() {
        long longest = 0;
        for (Gcra limit : limits) {
            longest = Math.max(longest, limit.nanosToFull());
        }
        return longest;
    }

    long largestCapacity() {
        long largest = 0;
        for (Gcra limit : limits) {
            largest = Math.max(largest, limit.limit.capacity());
        }
        return largest;
    }

    /** Returns the state of a bucket that holds {@code tokens} now, or its capacity if that is less. */
    long[] stateOf(long tokens) {
        long nanos = clock.nanos();
        long[] state = new long[limits.length + 1];
        for (int i = 0; i < limits.length; i++) {
            state[i] = limits[i].fullAt(limits[i].debtAt(tokens), nanos);
        }
        state[limits.length] = nanos;
        return state;
    }

    /** Returns what consuming {@code tokens} at {@code nanos} comes to, and changes nothing. */
    Decision decide(long[] state, long nanos, long tokens) {
        long now = now(state, nanos);
        boolean allowed = fits(state, now, tokens);
        long remaining = Long.MAX_VALUE;
        long retryAfterNanos = 0;
        long resetAfterNanos = 0;
        Limit decider = limits[0].limit;
        for (int i = 0; i < limits.length; i++) {
            Gcra limit = limits[i];
            long before = debt(state, i, now);
            long debt = allowed ? limit.charged(before, tokens) : before;
            long left = limit.tokens(debt);
            long wait = allowed ? 0 : limit.waitNanos(debt, tokens);
            if (allowed ? left < remaining : wait > retryAfterNanos) {
                decider = limit.limit;
            }
            remaining = Math.min(remaining, left);
            retryAfterNanos = Math.max(retryAfterNanos, wait);
            resetAfterNanos = Math.max(resetAfterNanos, limit.nanos(debt));
        }
        return new Decision(allowed, remaining, retryAfterNanos, resetAfterNanos, decider);
    }

    private boolean fits(long[] state, long now, long tokens) {
        for (int i = 0; i < limits.length; i++) {
            if (!limits[i].fits(debt(state, i, now), tokens)) {
                return false;
            }
        }
        return true;
    }

    /** Takes {@code tokens}, which {@link #decide} has allowed. */
    void charge(long[] state, long nanos, long tokens) {
        long now = now(state, nanos);
        for (int i = 0; i < limits.length; i++) {
            state[i] = limits[i].fullAt(limits[i].charged(debt(state, i, now), tokens), now);
        }
        moveAnchor(state, now);
    }

    /** Gives back {@code tokens}, up to the capacity. */
    void refund(long[] state, long nanos, long tokens) {
        long now = now(state, nanos);
        for (int i = 0; i < limits.length; i++) {
            state[i] = limits[i].fullAt(limits[i].refunded(debt(state, i, now), tokens), now);
        }
        moveAnchor(state, now);
    }

    private long now(long[] state, long nanos) {
        return Gcra.now(nanos, state[limits.length], slackNanos);
    }

    private long debt(long[] state, int i, long now) {
        return limits[i].debt(state[i], state[limits.length], now);
    }

    private void moveAnchor(long[] state, long now) {
        if (now - state[limits.length] > 0) {
            state[limits.length] = now;
        }
    }

    @Override
    public String toString() {
        return Stream.of(limits).map(each -> each.limit.toString()).collect(Collectors.joining(", "));
    }
}
