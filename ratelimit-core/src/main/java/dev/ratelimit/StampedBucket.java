package dev.ratelimit;

import java.util.concurrent.locks.StampedLock;

/**
 * The bucket behind {@link Synchronization#STAMPED}.
 *
 * <p>A decision is made on an optimistic read, which writes nothing that another core would have to fetch. If it is a
 * denial and no write came in between, it stands; if it is an admission, the stamp is turned into the write lock, which
 * succeeds only if no write came in between.
 */
final class StampedBucket extends TokenBucket {
    private final StampedLock lock = new StampedLock();
    private final long[] state; // guarded by lock

    StampedBucket(Terms terms, long[] state) {
        super(terms);
        this.state = state;
    }

    @Override
    Decision consumeNow(long tokens) {
        long nanos = terms.clock.nanos();
        long stamp = lock.tryOptimisticRead();
        Decision decision = terms.decide(state, nanos, tokens);
        if (!decision.allowed() && lock.validate(stamp)) {
            return decision;
        }
        long writeStamp = lock.tryConvertToWriteLock(stamp);
        if (writeStamp == 0) {
            return consumeLocked(nanos, tokens);
        }
        try {
            terms.charge(state, nanos, tokens);
            return decision;
        } finally {
            lock.unlockWrite(writeStamp);
        }
    }

    private Decision consumeLocked(long nanos, long tokens) {
        long stamp = lock.writeLock();
        try {
            Decision decision = terms.decide(state, nanos, tokens);
            if (decision.allowed()) {
                terms.charge(state, nanos, tokens);
            }
            return decision;
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    @Override
    Decision decide(long tokens) {
        long nanos = terms.clock.nanos();
        long stamp = lock.tryOptimisticRead();
        Decision decision = terms.decide(state, nanos, tokens);
        if (lock.validate(stamp)) {
            return decision;
        }
        stamp = lock.readLock();
        try {
            return terms.decide(state, nanos, tokens);
        } finally {
            lock.unlockRead(stamp);
        }
    }

    @Override
    void giveBack(long tokens) {
        long nanos = terms.clock.nanos();
        long stamp = lock.writeLock();
        try {
            terms.refund(state, nanos, tokens);
        } finally {
            lock.unlockWrite(stamp);
        }
    }
}
