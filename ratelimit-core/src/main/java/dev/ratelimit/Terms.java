package dev.ratelimit;

import dev.ratelimit.Charges.Charge;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What all buckets of one policy have in common: the limits and the clock, and how much was given back. Thread-safe.
 *
 * <p>A bucket's state is an array of {@code long}: for each limit its {@code fullAt}, and last the anchor of them all. The
 * methods here read and write such an array, all limits or none; whoever calls them guards it.
 */
final class Terms {
    /** So many tokens that to give them back is a reset, which forgets all charges. */
    static final long ALL = Long.MAX_VALUE;

    final NanoClock clock;
    final AtomicLong changes = new AtomicLong(); // of buckets that came under these terms from others, or left them
    final AtomicLong resets = new AtomicLong(); // of any bucket, also those that are about to be
    private final List<Limit> list;
    private final Gcra[] limits;
    private final long slackNanos;
    private final AtomicLong undoneNanos = new AtomicLong();
    private final AtomicLong mayBeUndoneNanos = new AtomicLong(); // the same, and what is about to be

    Terms(List<Limit> limits, NanoClock clock) {
        if (limits.isEmpty()) {
            throw new IllegalArgumentException("a bucket needs at least one limit");
        }
        this.list = List.copyOf(limits);
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
        return stateOwing(debtsAt(tokens), clock.nanos());
    }

    /** Returns the state of a bucket that has those debts at {@code nanos}, one for each limit. */
    long[] stateOwing(long[] debts, long nanos) {
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
        return stateOwing(debts, clock.nanos());
    }

    /** Returns the debts of a state at {@code nanos}, one for each limit. */
    long[] debts(long[] state, long nanos) {
        long now = now(state, nanos);
        long[] debts = new long[limits.length];
        for (int i = 0; i < limits.length; i++) {
            debts[i] = debt(state, i, now);
        }
        return debts;
    }

    /**
     * Returns the debts here of a bucket that had {@code debts} under {@code old}. A limit that was there before goes on from
     * itself, and the others from those that are gone, in their order; where there are not as many of these, from whichever
     * of all left the fewest tokens.
     */
    long[] carried(Terms old, long[] debts) {
        List<Integer> gone =
                new ArrayList<>(IntStream.range(0, debts.length).boxed().toList());
        List<Integer> changed = new ArrayList<>();
        long[] carried = new long[limits.length];
        for (int i = 0; i < limits.length; i++) {
            Integer same = old.find(limits[i].limit, gone);
            if (same == null) {
                changed.add(i);
            } else {
                carried[i] = debts[same];
                gone.remove((Object) same);
            }
        }
        boolean inOrder = changed.size() == gone.size();
        for (int k = 0; k < changed.size(); k++) {
            Gcra limit = limits[changed.get(k)];
            carried[changed.get(k)] = inOrder
                    ? limit.carried(old.limits[gone.get(k)], debts[gone.get(k)])
                    : mostCarried(limit, old, debts);
        }
        return carried;
    }

    private @Nullable Integer find(Limit limit, List<Integer> places) {
        for (Integer place : places) {
            if (limits[place].limit.equals(limit)) {
                return place;
            }
        }
        return null;
    }

    private static long mostCarried(Gcra limit, Terms old, long[] debts) {
        long most = 0;
        for (int j = 0; j < debts.length; j++) {
            most = Math.max(most, limit.carried(old.limits[j], debts[j]));
        }
        return most;
    }

    /** Returns the debts of a bucket that holds {@code tokens}, or its capacity if that is less. */
    long[] debtsAt(long tokens) {
        long[] debts = new long[limits.length];
        Arrays.setAll(debts, i -> limits[i].debtAt(tokens));
        return debts;
    }

    /** Returns the debts of a bucket that holds nothing, for at least {@code nanos}. */
    long[] debtsOfNothing(long nanos) {
        long[] debts = new long[limits.length];
        Arrays.setAll(debts, i -> Math.max(limits[i].burst, limits[i].ticks(nanos)));
        return debts;
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

    /** Returns how long a state takes from {@code nanos} until it is full. */
    long nanosToFull(long[] state, long nanos) {
        long now = now(state, nanos);
        long longest = 0;
        for (int i = 0; i < limits.length; i++) {
            longest = Math.max(longest, limits[i].nanos(debt(state, i, now)));
        }
        return longest;
    }

    /** Returns how long a state takes from {@code nanos} until it is good for {@code tokens}, as {@link Gcra#waitNanos} does. */
    long waitNanos(long[] state, long nanos, long tokens) {
        long now = now(state, nanos);
        long longest = 0;
        for (int i = 0; i < limits.length; i++) {
            longest = Math.max(longest, limits[i].waitNanos(debt(state, i, now), tokens));
        }
        return longest;
    }

    /**
     * Returns what consuming {@code tokens} at {@code nanos} comes to, for a caller who waits up to {@code maxWaitNanos};
     * changes nothing. The wait is the decision's {@code retryAfterNanos}, also if it is allowed.
     */
    Decision decide(long[] state, long nanos, long tokens, long maxWaitNanos) {
        return limits.length == 1
                ? decideAlone(state, now(state, nanos), tokens, maxWaitNanos)
                : decideTogether(state, now(state, nanos), tokens, maxWaitNanos);
    }

    /** The same as for several, in so few steps that a caller has it inlined and need not allocate the decision. */
    private Decision decideAlone(long[] state, long now, long tokens, long maxWaitNanos) {
        Gcra limit = limits[0];
        long debt = debt(state, 0, now);
        return limit.decision(debt, tokens, limit.fits(debt, tokens, maxWaitNanos));
    }

    private Decision decideTogether(long[] state, long now, long tokens, long maxWaitNanos) {
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

    /**
     * Gives back {@code tokens}, up to the capacity; takes them, there or not, if they are negative. Returns how much earlier
     * that makes the bucket full. Whether it came to that, {@link #undone} has to hear.
     */
    long add(long[] state, long nanos, long tokens) {
        long now = now(state, nanos);
        long longest = 0;
        for (int i = 0; i < limits.length; i++) {
            long before = debt(state, i, now);
            long after = limits[i].added(before, tokens);
            longest = Math.max(longest, limits[i].nanos(Math.max(0, before - after)));
            state[i] = limits[i].fullAt(after, now);
        }
        moveAnchor(state, now);
        return toBeAdded(tokens, longest);
    }

    /**
     * Notes that somebody is about to give back {@code tokens}, which makes a bucket full earlier by {@code nanos}, and returns
     * these. Has to be called after the state is read that this will change: so of a charge and a reset, either the charge
     * began before it and is forgotten, or what it has written keeps this one from being written.
     */
    long toBeAdded(long tokens, long nanos) {
        if (tokens == ALL) {
            resets.incrementAndGet();
        }
        return toBeUndone(nanos);
    }

    /**
     * Gives back what has not flowed in again of a charge, and returns how much earlier that makes the bucket full. Whether it
     * came to that, {@link #undone} has to hear. Of a charge that a reset may have given back already it gives nothing back.
     */
    long undo(long[] state, long nanos, Charge charge) {
        long now = now(state, nanos);
        long movedNanos = mayBeUndoneNanos.get() - charge.undoneNanos();
        long tokens = charge.resets() == resets.get() ? charge.tokens() : 0;
        long longest = 0;
        for (int i = 0; i < limits.length; i++) {
            long before = debt(state, i, now);
            long after = limits[i].undone(before, tokens, unpaid(charge, i, now, movedNanos));
            longest = Math.max(longest, limits[i].nanos(before - after));
            state[i] = limits[i].fullAt(after, now);
        }
        moveAnchor(state, now);
        return toBeUndone(longest);
    }

    /**
     * Returns how many whole tokens of a charge are to be given back that a bucket of this state has no room for, as others have
     * given back there. Of several limits the one that says the fewest: tokens are given to others under all limits alike, and must
     * not be where they have flowed in again; what another limit lacks flows in with time.
     */
    long beyondRoom(long[] state, long nanos, Charge charge) {
        if (charge.resets() != resets.get()) {
            return 0;
        }
        long now = now(state, nanos);
        long movedNanos = mayBeUndoneNanos.get() - charge.undoneNanos();
        long fewest = Long.MAX_VALUE;
        for (int i = 0; i < limits.length; i++) {
            long unpaid = unpaid(charge, i, now, movedNanos);
            fewest = Math.min(fewest, limits[i].beyondRoom(debt(state, i, now), charge.tokens(), unpaid));
        }
        return fewest;
    }

    /** Notes that somebody is about to give back what makes a bucket full earlier by {@code nanos}, and returns these. */
    private long toBeUndone(long nanos) {
        if (nanos > 0) {
            mayBeUndoneNanos.addAndGet(nanos);
        }
        return nanos;
    }

    private long unpaid(Charge charge, int i, long now, long movedNanos) {
        long sinceNanos = Math.max(0, now - charge.nanos());
        boolean isMovedTooFar = movedNanos < 0 || movedNanos > Gcra.MAX_DEBT; // as it is the sum of all keys'
        return Math.max(
                limits[i].charged(0, charge.tokens()) - limits[i].ticks(sinceNanos),
                isMovedTooFar ? 0 : debt(charge.state(), i, now + movedNanos));
    }

    /** Notes whether somebody gave back what {@link #toBeUndone} was told, as another thread may have been quicker. */
    void undone(long nanos, boolean done) {
        if (nanos == 0) {
            return;
        }
        if (done) {
            undoneNanos.addAndGet(nanos);
        } else {
            mayBeUndoneNanos.addAndGet(-nanos);
        }
    }

    /** Returns by how much all that was ever given back has made buckets full earlier. */
    long undoneNanos() {
        return undoneNanos.get();
    }

    /** Returns the clock reading that the state was last written at, or about. */
    long anchor(long[] state) {
        return state[limits.length];
    }

    /**
     * Returns the instant to reckon with where the clock reads {@code nanos}. Debts are those at that instant, and have to go
     * with it wherever they go.
     */
    long now(long[] state, long nanos) {
        return Gcra.now(nanos, anchor(state), slackNanos);
    }

    private long debt(long[] state, int i, long now) {
        return limits[i].debt(state[i], anchor(state), now);
    }

    private void moveAnchor(long[] state, long now) {
        if (now - anchor(state) > 0) {
            state[limits.length] = now;
        }
    }

    /** Terms are equal if their limits are. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Terms terms && list.equals(terms.list);
    }

    @Override
    public int hashCode() {
        return list.hashCode();
    }

    @Override
    public String toString() {
        return list.stream().map(Limit::toString).collect(Collectors.joining(", "));
    }
}
