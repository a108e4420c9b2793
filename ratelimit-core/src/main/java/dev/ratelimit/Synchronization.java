package dev.ratelimit;

/** How the state of a {@link TokenBucket} is guarded against threads that consume at the same time. */
public enum Synchronization {

    /** A {@link java.util.concurrent.locks.ReentrantLock} around every operation: the reference. */
    LOCK {
        @Override
        TokenBucket bucket(Terms terms, long[] state) {
            return new LockBucket(terms, state);
        }
    },

    /**
     * A {@link java.util.concurrent.locks.StampedLock}: denials read without taking it, admissions write under it. For
     * several limits on a key and many denials.
     */
    STAMPED {
        @Override
        TokenBucket bucket(Terms terms, long[] state) {
            return new StampedBucket(terms, state);
        }
    },

    /** Compare-and-set on the state, without a lock. The smallest, and the default. */
    CAS {
        @Override
        TokenBucket bucket(Terms terms, long[] state) {
            return terms.size() == 1 ? new CasBucket(terms, state) : new CasArrayBucket(terms, state);
        }
    };

    /** Returns a bucket that starts with {@code state}, which from then on is its own. */
    abstract TokenBucket bucket(Terms terms, long[] state);
}
