package dev.ratelimit;

import dev.ratelimit.Charges.Charge;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The bucket behind {@link Synchronization#LOCK}.
 *
 * <p>Its number is its place in the order in which {@link JointBucket} takes several locks.
 */
final class LockBucket extends GuardedBucket {
    private static final AtomicLong NUMBERS = new AtomicLong();

    final long number = NUMBERS.incrementAndGet();
    final ReentrantLock lock = new ReentrantLock();
    private long[] state; // guarded by lock
    private volatile boolean retired; // written under lock

    LockBucket(Terms terms, long[] state) {
        super(terms);
        this.state = state;
    }

    @Override
    Decision reserve(long tokens, long maxWaitNanos, Charges charges) {
        long nanos = terms.clock.nanos();
        lock.lock();
        try {
            charges.begin(terms);
            Decision decision = terms.decide(state, nanos, tokens, retired ? 0 : maxWaitNanos);
            if (decision.allowed()) {
                terms.charge(state, nanos, tokens);
                if (charges.areKept()) {
                    charges.add(this, tokens, nanos, state.clone());
                }
            }
            return decision;
        } finally {
            lock.unlock();
        }
    }

    @Override
    Decision decide(long tokens, long maxWaitNanos) {
        long nanos = terms.clock.nanos();
        lock.lock();
        try {
            return terms.decide(state, nanos, tokens, retired ? 0 : maxWaitNanos);
        } finally {
            lock.unlock();
        }
    }

    @Override
    boolean add(long tokens) {
        long nanos = terms.clock.nanos();
        lock.lock();
        try {
            if (!retired) {
                terms.undone(terms.add(state, nanos, tokens), true);
            }
            return !retired;
        } finally {
            lock.unlock();
        }
    }

    @Override
    boolean undo(Charge charge) {
        lock.lock();
        try {
            if (!retired) {
                terms.undone(terms.undo(state, terms.clock.nanos(), charge), true);
            }
            return !retired;
        } finally {
            lock.unlock();
        }
    }

    @Override
    long[] state() {
        lock.lock();
        try {
            return state.clone();
        } finally {
            lock.unlock();
        }
    }

    @Override
    long[] retire() {
        long[] nothing = terms.stateOfNothing();
        lock.lock();
        try {
            long[] last = state;
            state = nothing;
            retired = true;
            return last;
        } finally {
            lock.unlock();
        }
    }

    @Override
    boolean isRetired() {
        return retired;
    }
}
