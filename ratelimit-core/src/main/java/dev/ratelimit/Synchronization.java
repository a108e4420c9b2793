package dev.ratelimit;

/**
 * How the state of a {@link TokenBucket} is guarded against threads that consume at the same time.
 *
 * <pre>{@code
 * TokenBucket bucket = TokenBucket.builder()
 *         .limits(Limit.parse("10/1s"), Limit.parse("100/1h"))
 *         .synchronization(Synchronization.STAMPED)
 *         .build();
 * }</pre>
 */
public enum Synchronization {

    /**
     * A {@link java.util.concurrent.locks.ReentrantLock} around every operation: the reference, and the only one that
     * {@link TokenBucket#allOf} makes atomic.
     */
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

    /**
     * Compare-and-set on the state: who consumes or asks takes no lock. Under one limit, who gives back waits for others who
     * give back to the same bucket, or to one that has the same of a few locks. The smallest, and the default.
     */
    CAS {
        @Override
        TokenBucket bucket(Terms terms, long[] state) {
            return CasBucket.of(terms, state);
        }
    },

    /**
     * Cells, each with a share of the limit, which admit too little where one cell is full, and lets its refill go, while
     * others are not; they never admit too much. For one very hot bucket on many cores.
     *
     * <p>A thread keeps to a cell of its own until that is empty. Then it gathers from all, one thread at a time, and is denied
     * only when all cells together do not hold enough, a fraction of a token in each aside, and what another gathers meanwhile
     * but gives back. An admission tells what is left by its own cell alone, as if the others
     * were as full. A bucket whose capacity is below some thousand tokens has only one cell, and is the same as one under
     * {@link #CAS}.
     */
    STRIPED {
        @Override
        TokenBucket bucket(Terms terms, long[] state) {
            return StripedBucket.of(terms, state);
        }
    },

    /**
     * A whole bucket for each platform thread: the limit holds for each of them, and not in total. Virtual threads share
     * one bucket; else a thread for each request would mean no limit at all. A thread that is gone leaves nothing behind.
     */
    THREAD_LOCAL {
        @Override
        TokenBucket bucket(Terms terms, long[] state) {
            return new ThreadLocalBucket(terms, state);
        }
    };

    /** Returns a bucket that starts with {@code state}, which from then on is its own. */
    abstract TokenBucket bucket(Terms terms, long[] state);
}
