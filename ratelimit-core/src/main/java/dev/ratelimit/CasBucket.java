package dev.ratelimit;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The bucket behind {@link Synchronization#CAS} under one limit: {@code fullAt} in a field of its own.
 *
 * <p>The anchor lies beside it and can't be written in the same step, so it is kept coarse and written seldom. Nobody
 * consumes on a stale anchor: whoever finds one first puts a {@code fullAt} of the same meaning in place and then renews
 * the anchor. {@code fullAt} is read before the anchor. So a reader that sees a debt also sees an anchor no older than it,
 * and never takes it for one long paid.
 */
final class CasBucket extends TokenBucket {
    private static final VarHandle FULL_AT;

    static {
        try {
            FULL_AT = MethodHandles.lookup().findVarHandle(CasBucket.class, "fullAt", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile long fullAt; // ticks
    private volatile long anchor; // nanoseconds

    CasBucket(Terms terms, long[] state) {
        super(terms);
        fullAt = state[0];
        anchor = state[1];
    }

    @Override
    Decision consumeNow(long tokens) {
        Gcra limit = terms.first();
        long nanos = terms.clock.nanos();
        while (true) {
            long before = fullAt;
            long debt = debt(before, nanos);
            boolean allowed = limit.fits(debt, tokens);
            if (!allowed || write(before, limit.charged(debt, tokens), nanos)) {
                return limit.decision(debt, tokens, allowed);
            }
        }
    }

    @Override
    Decision decide(long tokens) {
        Gcra limit = terms.first();
        long debt = debt(fullAt, terms.clock.nanos());
        return limit.decision(debt, tokens, limit.fits(debt, tokens));
    }

    @Override
    void giveBack(long tokens) {
        Gcra limit = terms.first();
        long nanos = terms.clock.nanos();
        long before;
        long debt;
        do {
            before = fullAt;
            debt = debt(before, nanos);
        } while (!write(before, limit.refunded(debt, tokens), nanos));
    }

    /** Returns the debt, given a {@code fullAt} that was read just before: the anchor has to be read after it. */
    private long debt(long fullAt, long nanos) {
        Gcra limit = terms.first();
        long anchor = this.anchor;
        return limit.debt(fullAt, anchor, Gcra.now(nanos, anchor, limit.slackNanos));
    }

    /** Writes {@code debt}, unless another thread wrote first or the anchor had to be renewed: then it is to be redone. */
    private boolean write(long before, long debt, long nanos) {
        Gcra limit = terms.first();
        long anchor = this.anchor;
        if (nanos - anchor > limit.slackNanos) {
            if (FULL_AT.compareAndSet(this, before, limit.fullAt(debt(before, nanos), nanos))) {
                this.anchor = nanos;
            }
            return false;
        }
        return FULL_AT.compareAndSet(this, before, limit.fullAt(debt, Gcra.now(nanos, anchor, limit.slackNanos)));
    }
}
