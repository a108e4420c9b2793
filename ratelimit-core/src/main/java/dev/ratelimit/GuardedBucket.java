package dev.ratelimit;

/**
 * A bucket with a state of its own, guarded in one way or another.
 *
 * <p>It can be retired, once: it then says what it owed and denies everything from then on,
 * however long one would wait, so that whoever still holds
 * it does not spend tokens that nobody would know of. Who is denied by a retired bucket has to ask for its successor.
 */
abstract class GuardedBucket extends TokenBucket {
    final Terms terms;

    GuardedBucket(Terms terms) {
        this.terms = terms;
    }

    /** Returns a copy of the state. */
    abstract long[] state();

    /** Returns the last state, and leaves one that denies everything. */
    abstract long[] retire();

    abstract boolean isRetired();

    /**
     * Gives back tokens, up to the capacity, or takes them if they are negative, which may leave a debt. Returns whether it
     * did, which a retired bucket does not do.
     */
    abstract boolean add(long tokens);

    @Override
    final void refundNow(long tokens) {
        add(tokens);
    }

    @Override
    final Runnable undo(long tokens) {
        long since = terms.clock.nanos();
        long[] debts = terms.debts(state(), since);
        return () -> {
            long owed = terms.owed(debts, tokens, terms.clock.nanos() - since);
            if (owed > 0) {
                add(owed);
            }
        };
    }

    @Override
    final NanoClock clock() {
        return terms.clock;
    }

    @Override
    public final String toString() {
        return "TokenBucket[" + terms.tokens(state(), terms.clock.nanos()) + " tokens of " + terms + ']';
    }
}
