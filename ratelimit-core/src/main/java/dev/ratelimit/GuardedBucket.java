package dev.ratelimit;

import dev.ratelimit.Charges.Charge;

/**
 * A bucket with a state of its own, guarded in one way or another.
 *
 * <p>It can be retired, once: it then says what it owed and denies everything from then on, however long one would wait, so
 * that whoever still holds it does not spend tokens that nobody would know of. Who is denied by a retired bucket has to ask
 * for its successor.
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

    /**
     * Gives back what has not flowed in again of a charge, on this bucket or on one that it is the successor of, under the same
     * limits. Returns whether it did, which a retired bucket does not do.
     *
     * <p>The clock is read when the state is known, and not before: whoever was held up in between would give back what has
     * flowed in and gone again.
     */
    abstract boolean undo(Charge charge);

    @Override
    final void refundNow(long tokens) {
        add(tokens);
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
