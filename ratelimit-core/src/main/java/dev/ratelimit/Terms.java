package dev.ratelimit;

import java.util.Arrays;
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

    Gcra limit(int i) {
        return limits[i];
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

    long smallestCapacity() {
        long smallest = Long.MAX_VALUE;
        for (Gcra limit : limits) {
            smallest = Math.min(smallest, limit.limit.capacity());
        }
        return smallest;
    }

    /** Returns the state of a bucket that holds {@code tokens} now, or its capacity if that is less. */
    long[] stateOf(long tokens) {
        long[] debts = new long[limits.length];
        for (int i = 0; i < limits.length; i++) {
            debts[i] = limits[i].debtAt(tokens);
        }
        return stateOwing(debts);
    }

    /** Returns the state of a bucket that has those debts now, one for each limit. */
    long[] stateOwing(long[] debts) {
        long nanos = clock.nanos();
        long[] state = new long[limits.length + 1];
        for (int i = 0; i < limits.length; i++) {
            state[i] = limits[i].fullAt(debts[i], nanos);
        }
        state[limits.length] = nanos;
        return state;
    }

    /** Returns the state of a bucket that denies everything, for longer than anybody holds on to it. */
    long[] stateOfNothing() {
        long[] debts = new long[limits.length];
        Arrays.fill(debts, Gcra.MAX_DEBT);
        return stateOwing(debts);
    }

    /** Returns the debts of a state now, one for each limit. */
    long[] debts(long[] state) {
        return debts(state, clock.nanos());
    }

    /** Returns the debts of a state at {@code nanos}. */
    long[] debts(long[] state, long nanos) {
        long now = now(state, nanos);
        long[] debts = new long[limits.length];
        for (int i = 0; i < limits.length; i++) {
            debts[i] = debt(state, i, now);
        }
        return debts;
    }

    /**
     * Returns the debts here of a bucket that had {@code debts} under {@code old}. Each limit goes on from the old one in
     * its place; where their number has changed, from the one that left the fewest tokens.
     */
    long[] carried(Terms old, long[] debts) {
        long[] carried = new long[limits.length];
        for (int i = 0; i < limits.length; i++) {
            for (int j = 0; j < debts.length; j++) {
                if (i == j || debts.length != limits.length) {
                    carried[i] = Math.max(carried[i], limits[i].carried(old.limits[j], debts[j]));
                }
            }
        }
        return carried;
    }

    /** Returns how long each debt takes to pay. */
    long[] nanos(long[] debts) {
        long[] nanos = new long[limits.length];
        Arrays.setAll(nanos, i -> limits[i].nanos(debts[i]));
        return nanos;
    }

    /** Returns the debts that take so long to pay. */
    long[] ticks(long[] nanos) {
        long[] debts = new long[limits.length];
        Arrays.setAll(debts, i -> limits[i].ticks(nanos[i]));
        return debts;
    }

    /** Returns the whole tokens that a state is good for at {@code nanos}. */
    long tokens(long[] state, long nanos) {
        long now = now(state, nanos);
        long fewest = Long.MAX_VALUE;
        for (int i = 0; i < limits.length; i++) {
            fewest = Math.min(fewest, limits[i].tokens(debt(state, i, now)));
        }
        return fewest;
    }

    /**
     * Returns what consuming {@code tokens} at {@code nanos} comes to, for a caller who waits up to {@code maxWaitNanos};
     * changes nothing. The wait is the decision's {@code retryAfterNanos}, also if it is allowed.
     */
    Decision decide(long[] state, long nanos, long tokens, long maxWaitNanos) {
        long now = now(state, nanos);
        boolean allowed = fits(state, now, tokens, maxWaitNanos);
        long remaining = Long.MAX_VALUE;
        long waitNanos = 0;
        long resetAfterNanos = 0;
        Limit decider = limits[0].limit;
        for (int i = 0; i < limits.length; i++) {
            Gcra limit = limits[i];
            long before = debt(state, i, now);
            long debt = allowed ? limit.charged(before, tokens) : before;
            long left = limit.tokens(debt);
            long wait = limit.waitNanos(before, tokens);
            if (allowed ? left < remaining : wait > waitNanos) {
                decider = limit.limit;
            }
            remaining = Math.min(remaining, left);
            waitNanos = Math.max(waitNanos, wait);
            resetAfterNanos = Math.max(resetAfterNanos, limit.nanos(debt));
        }
        return new Decision(allowed, remaining, waitNanos, resetAfterNanos, decider);
    }

    private boolean fits(long[] state, long now, long tokens, long maxWaitNanos) {
        for (int i = 0; i < limits.length; i++) {
            if (!limits[i].fits(debt(state, i, now), tokens, maxWaitNanos)) {
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
