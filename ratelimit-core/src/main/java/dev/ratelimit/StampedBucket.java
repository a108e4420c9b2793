package dev.ratelimit;

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
    Decision reserve(long tokens, long maxWaitNanos) {
        long nanos = terms.clock.nanos();
        long stamp = lock.tryOptimisticRead();
        Decision decision = terms.decide(state, nanos, tokens, retired ? 0 : maxWaitNanos);
        if (!decision.allowed() && lock.validate(stamp)) {
            return decision;
        }
        long writeStamp = lock.tryConvertToWriteLock(stamp);
        if (writeStamp == 0) {
            return reserveLocked(nanos, tokens, maxWaitNanos);
        }
        try {
            terms.charge(state, nanos, tokens);
            return decision;
        } finally {
            lock.unlockWrite(writeStamp);
        }
    }

    private Decision reserveLocked(long nanos, long tokens, long maxWaitNanos) {
        long stamp = lock.writeLock();
        try {
            Decision decision = terms.decide(state, nanos, tokens, retired ? 0 : maxWaitNanos);
            if (decision.allowed()) {
                terms.charge(state, nanos, tokens);
            }
            return decision;
        } finally {
            lock.unlockWrite(stamp);
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
                terms.add(state, nanos, tokens);
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
