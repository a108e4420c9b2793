package dev.ratelimit;

import dev.ratelimit.Charges.Charge;
import java.util.concurrent.locks.StampedLock;

/**
 * The bucket behind {@link Synchronization#STAMPED}.
 *
 * <p>A decision is made on an optimistic read, which writes nothing that another core would have to fetch. If it is a
 * denial and no write came in between, it stands; if it is an admission, the stamp is turned into the write lock, which
 * succeeds only if no write came in between.
 */
final class StampedBucket extends GuardedBucket {
    private final StampedLock lock = new StampedLock();
    private final long[] state; // guarded by lock
    private volatile boolean retired; // written under lock

    StampedBucket(Terms terms, long[] state) {
        super(terms);
        this.state = state;
    }

    @Override
    Decision reserve(long tokens, long maxWaitNanos, Charges charges) {
        long nanos = terms.clock.nanos();
        charges.begin(terms);
        long stamp = lock.tryOptimisticRead();
        Decision decision = terms.decide(state, nanos, tokens, retired ? 0 : maxWaitNanos);
        if (!decision.allowed() && lock.validate(stamp)) {
            return decision;
        }
        long writeStamp = lock.tryConvertToWriteLock(stamp);
        if (writeStamp == 0) {
            return reserveLocked(nanos, tokens, maxWaitNanos, charges);
        }
        try {
            charge(nanos, tokens, charges);
            return decision;
        } finally {
            lock.unlockWrite(writeStamp);
        }
    }

    private Decision reserveLocked(long nanos, long tokens, long maxWaitNanos, Charges charges) {
        long stamp = lock.writeLock();
        try {
            Decision decision = terms.decide(state, nanos, tokens, retired ? 0 : maxWaitNanos);
            if (decision.allowed()) {
                charge(nanos, tokens, charges);
            }
            return decision;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    private void charge(long nanos, long tokens, Charges charges) {
        terms.charge(state, nanos, tokens);
        if (charges.areKept()) {
            charges.add(this, tokens, nanos, state.clone());
        }
    }

    @Override
    Decision decide(long tokens, long maxWaitNanos) {
        return terms.decide(state(), terms.clock.nanos(), tokens, retired ? 0 : maxWaitNanos);
    }

    @Override
    boolean add(long tokens) {
        long nanos = terms.clock.nanos();
        long stamp = lock.writeLock();
        try {
            if (!retired) {
                terms.undone(terms.add(state, nanos, tokens), true);
            }
            return !retired;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    @Override
    boolean undo(Charge charge) {
        long nanos;
        long stamp;
        do {
            long unwritten = lock.tryOptimisticRead();
            nanos = terms.clock.nanos();
            stamp = lock.tryConvertToWriteLock(unwritten);
        } while (stamp == 0);
        try {
            if (!retired) {
                terms.undone(terms.undo(state, nanos, charge), true);
            }
            return !retired;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    @Override
    long[] state() {
        long stamp = lock.tryOptimisticRead();
        long[] copy = state.clone();
        if (lock.validate(stamp)) {
            return copy;
        }
        stamp = lock.readLock();
        try {
            return state.clone();
        } finally {
            lock.unlockRead(stamp);
        }
    }

    @Override
    long[] retire() {
        long[] nothing = terms.stateOfNothing();
        long stamp = lock.writeLock();
        try {
            long[] last = state.clone();
            System.arraycopy(nothing, 0, state, 0, nothing.length);
            retired = true;
            return last;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    @Override
    boolean isRetired() {
        return retired;
    }
}
