package dev.ratelimit;

import dev.ratelimit.Charges.Charge;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * The bucket behind {@link Synchronization#CAS} under several limits: the state is an array that nobody writes once it
 * can be seen, replaced as a whole. That of a retired bucket is longer by one.
 */
class CasArrayBucket extends GuardedBucket {
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(CasArrayBucket.class, "state", long[].class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile long[] state;

    CasArrayBucket(Terms terms, long[] state) {
        super(terms);
        this.state = state;
    }

    @Override
    final Decision reserve(long tokens, long maxWaitNanos, Charges charges) {
        charges.begin(terms);
        long nanos = terms.clock.nanos();
        while (true) {
            long[] before = state;
            Decision decision = decide(before, nanos, tokens, maxWaitNanos);
            if (!decision.allowed()) {
                return decision;
            }
            long[] after = before.clone();
            terms.charge(after, nanos, tokens);
            if (STATE.compareAndSet(this, before, after)) {
                if (charges.areKept()) {
                    charges.add(this, tokens, nanos, after);
                }
                return decision;
            }
        }
    }

    @Override
    final Decision decide(long tokens, long maxWaitNanos) {
        return decide(state, terms.clock.nanos(), tokens, maxWaitNanos);
    }

    private Decision decide(long[] state, long nanos, long tokens, long maxWaitNanos) {
        return terms.decide(state, nanos, tokens, isRetired(state) ? 0 : maxWaitNanos);
    }

    @Override
    final boolean add(long tokens) {
        long nanos = terms.clock.nanos();
        while (true) {
            long[] before = state;
            if (isRetired(before)) {
                return false;
            }
            long[] after = before.clone();
            long undoneNanos = terms.add(after, nanos, tokens);
            boolean done = STATE.compareAndSet(this, before, after);
            terms.undone(undoneNanos, done);
            if (done) {
                return true;
            }
        }
    }

    @Override
    boolean undo(Charge charge) {
        return undoUpToRoom(charge) >= 0;
    }

    /** Gives back what there is room for, and returns how many tokens there is none for; or less than 0 where it is retired. */
    final long undoUpToRoom(Charge charge) {
        while (true) {
            long[] before = state;
            if (isRetired(before)) {
                return -1;
            }
            long[] after = before.clone();
            long nanos = terms.clock.nanos();
            long beyondRoom = terms.beyondRoom(before, nanos, charge);
            long undoneNanos = terms.undo(after, nanos, charge);
            boolean done = STATE.compareAndSet(this, before, after);
            terms.undone(undoneNanos, done);
            if (done) {
                return beyondRoom;
            }
        }
    }

    @Override
    final long[] state() {
        return state.clone();
    }

    @Override
    final long[] retire() {
        long[] nothing = terms.stateOfNothing();
        return (long[]) STATE.getAndSet(this, Arrays.copyOf(nothing, nothing.length + 1));
    }

    @Override
    final boolean isRetired() {
        return isRetired(state);
    }

    private boolean isRetired(long[] state) {
        return state.length > terms.size() + 1;
    }
}
