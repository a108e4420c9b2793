package dev.ratelimit;

import java.util.concurrent.locks.ReentrantLock;

/** The bucket behind {@link Synchronization#LOCK}. */
final class LockBucket extends TokenBucket {
    private final ReentrantLock lock = new ReentrantLock();
    private final long[] state; // guarded by lock

    LockBucket(Terms terms, long[] state) {
        super(terms);
        this.state = state;
    }

    @Override
    Decision consumeNow(long tokens) {
        lock.lock();
        try {
            long nanos = terms.clock.nanos();
            Decision decision = terms.decide(state, nanos, tokens);
            if (decision.allowed()) {
                terms.charge(state, nanos, tokens);
            }
            return decision;
        } finally {
            lock.unlock();
        }
    }

    @Override
    Decision decide(long tokens) {
        lock.lock();
        try {
            return terms.decide(state, terms.clock.nanos(), tokens);
        } finally {
            lock.unlock();
        }
    }

    @Override
    void giveBack(long tokens) {
        lock.lock();
        try {
            terms.refund(state, terms.clock.nanos(), tokens);
        } finally {
            lock.unlock();
        }
    }
}
