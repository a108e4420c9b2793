package dev.ratelimit;

import dev.ratelimit.Charges.Charge;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * The bucket behind {@link Synchronization#CAS} under one limit: {@code fullAt} in a field of its own.
 *
 * <p>The anchor lies beside it and can't be written in the same step, so it is kept coarse and written seldom. Nobody
 * consumes on a stale anchor: whoever finds one first puts a {@code fullAt} of the same meaning in place and then renews
 * the anchor. {@code fullAt} is read before the anchor. So a reader that sees a debt also sees an anchor no older than it,
 * and never takes it for one long paid. And it goes by what it saw only if {@code fullAt} is still the same then: else the
 * anchor might be newer than it, and it not what it seems.
 *
 * <p>One value of {@code fullAt} says that the bucket is retired. A bucket that comes upon it by chance goes on a tick
 * later.
 */
class CasBucket extends GuardedBucket {
    /** Far from the round numbers at which a clock in a test may start. */
    private static final long RETIRED = 0x6A09_E667_F3BC_C909L;

    /** Of which each bucket has one, and shares it: a lock of its own would take more memory than all else it has. */
    private static final ReentrantLock[] GIVING_BACK =
            Stream.generate(ReentrantLock::new).limit(64).toArray(ReentrantLock[]::new);

    private static final VarHandle FULL_AT;
    private static final VarHandle ANCHOR;

    static {
        try {
            FULL_AT = MethodHandles.lookup().findVarHandle(CasBucket.class, "fullAt", long.class);
            ANCHOR = MethodHandles.lookup().findVarHandle(CasBucket.class, "anchor", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile long fullAt; // ticks
    private volatile long anchor; // nanoseconds

    /** Returns a bucket under as many limits as the terms have. */
    static GuardedBucket of(Terms terms, long[] state) {
        return terms.size() == 1 ? new CasBucket(terms, state) : new CasArrayBucket(terms, state);
    }

    CasBucket(Terms terms, long[] state) {
        super(terms);
        fullAt = notRetired(state[0]);
        anchor = state[1];
    }

    @Override
    final Decision reserve(long tokens, long maxWaitNanos, Charges charges) {
        charges.begin(terms);
        Gcra limit = terms.first();
        long debt = charge(tokens, maxWaitNanos, charges);
        return limit.decision(debt, tokens, limit.fits(debt, tokens, maxWaitNanos));
    }

    /**
     * Takes the tokens if they fit on top of the debt that it returns: a number, and not a decision, which the compiler would
     * have to allocate wherever this is not inlined.
     */
    private long charge(long tokens, long maxWaitNanos, Charges charges) {
        Gcra limit = terms.first();
        long nanos = terms.clock.nanos();
        while (true) {
            long before = fullAt;
            long debt = debt(before, nanos);
            boolean fits = limit.fits(debt, tokens, maxWaitNanos);
            if (fits ? write(before, limit.charged(debt, tokens), nanos) : before == fullAt) {
                if (fits && charges.areKept()) {
                    note(charges, tokens, limit.charged(debt, tokens), nanos);
                }
                return debt;
            }
        }
    }

    private void note(Charges charges, long tokens, long debt, long nanos) {
        charges.add(this, tokens, nanos, terms.stateOwing(new long[] {debt}, nanos));
    }

    @Override
    final Decision decide(long tokens, long maxWaitNanos) {
        Gcra limit = terms.first();
        long nanos = terms.clock.nanos();
        long before;
        long debt;
        do {
            before = fullAt;
            debt = debt(before, nanos);
        } while (before != fullAt);
        return limit.decision(debt, tokens, limit.fits(debt, tokens, maxWaitNanos));
    }

    @Override
    final boolean add(long tokens) {
        if (tokens < 0) {
            return addNow(tokens);
        }
        ReentrantLock givingBack = givingBack();
        givingBack.lock();
        try {
            return addNow(tokens);
        } finally {
            givingBack.unlock();
        }
    }

    private ReentrantLock givingBack() {
        return GIVING_BACK[System.identityHashCode(this) % GIVING_BACK.length];
    }

    private boolean addNow(long tokens) {
        Gcra limit = terms.first();
        long nanos = terms.clock.nanos();
        while (true) {
            long before = fullAt;
            if (before == RETIRED) {
                return false;
            }
            long debt = debt(before, nanos);
            long after = limit.added(debt, tokens);
            long undoneNanos = terms.toBeAdded(tokens, limit.nanos(Math.max(0, debt - after)));
            boolean done = write(before, after, nanos);
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

    /**
     * Gives back what there is room for, and returns how many tokens there is none for; or less than 0 where it is retired.
     *
     * <p>What has flowed in again, {@code fullAt} tells only while nobody else gives back to this bucket: or it could be what
     * it was by chance.
     */
    final long undoUpToRoom(Charge charge) {
        ReentrantLock givingBack = givingBack();
        givingBack.lock();
        try {
            return undoAlone(charge);
        } finally {
            givingBack.unlock();
        }
    }

    private long undoAlone(Charge charge) {
        while (true) {
            long before = fullAt;
            if (before == RETIRED) {
                return -1;
            }
            long[] after = {before, anchor}; // in this order
            long nanos = terms.clock.nanos();
            long beyondRoom = terms.beyondRoom(after, nanos, charge);
            long undoneNanos = terms.undo(after, nanos, charge);
            boolean done = write(before, terms.debts(after, nanos)[0], nanos);
            terms.undone(undoneNanos, done);
            if (done) {
                return beyondRoom;
            }
        }
    }

    @Override
    final long[] state() {
        long[] state;
        do {
            state = new long[] {fullAt, anchor}; // in this order
        } while (state[0] != fullAt);
        return state[0] == RETIRED ? terms.stateOfNothing() : state;
    }

    @Override
    final long[] retire() {
        return new long[] {(long) FULL_AT.getAndSet(this, RETIRED), anchor};
    }

    @Override
    final boolean isRetired() {
        return fullAt == RETIRED;
    }

    /** Returns the debt, given a {@code fullAt} that was read just before: the anchor has to be read after it. */
    private long debt(long fullAt, long nanos) {
        Gcra limit = terms.first();
        long anchor = this.anchor;
        return fullAt == RETIRED
                ? Gcra.MAX_DEBT
                : limit.debt(fullAt, anchor, Gcra.now(nanos, anchor, limit.slackNanos));
    }

    /** Writes {@code debt}, unless another thread wrote first or the anchor had to be renewed: then it is to be redone. */
    private boolean write(long before, long debt, long nanos) {
        Gcra limit = terms.first();
        long anchor = this.anchor;
        if (nanos - anchor > limit.slackNanos) {
            if (replace(before, limit.fullAt(debt(before, nanos), nanos))) {
                ANCHOR.compareAndSet(this, anchor, nanos); // or someone slower would turn it back
            }
            return false;
        }
        return replace(before, limit.fullAt(debt, Gcra.now(nanos, anchor, limit.slackNanos)));
    }

    private boolean replace(long before, long after) {
        return FULL_AT.compareAndSet(this, before, notRetired(after));
    }

    private static long notRetired(long fullAt) {
        return fullAt == RETIRED ? RETIRED + 1 : fullAt;
    }
}
