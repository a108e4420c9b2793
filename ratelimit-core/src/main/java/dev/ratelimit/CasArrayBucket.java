package dev.ratelimit;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The bucket behind {@link Synchronization#CAS} under several limits: the state is an array that nobody writes once it
 * can be seen, replaced as a whole.
 */
final class CasArrayBucket extends TokenBucket {
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(CasArrayBucket.class, "state", long[].class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile long[] state;

    CasArrayBucket(Terms terms, long[] state) {
        super(terms);
        this.state = state;
    }

    @Override
    Decision consumeNow(long tokens) {
        long nanos = terms.clock.nanos();
        while (true) {
            long[] before = state;
            Decision decision = terms.decide(before, nanos, tokens);
            if (!decision.allowed()) {
                return decision;
            }
            long[] after = before.clone();
            terms.charge(after, nanos, tokens);
            if (STATE.compareAndSet(this, before, after)) {
                return decision;
            }
        }
    }

    @Override
    Decision decide(long tokens) {
        return terms.decide(state, terms.clock.nanos(), tokens);
    }

    @Override
    void giveBack(long tokens) {
        long nanos = terms.clock.nanos();
        long[] before;
        long[] after;
        do {
            before = state;
            after = before.clone();
            terms.refund(after, nanos, tokens);
        } while (!STATE.compareAndSet(this, before, after));
    }
}
