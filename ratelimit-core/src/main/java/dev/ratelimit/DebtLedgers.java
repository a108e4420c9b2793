package dev.ratelimit;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * What keys of one policy owe that are no longer tracked: a ledger for each list of limits under which there are debts, as far
 * as these are few, and one for all others, where a debt counts as an empty bucket until it is paid, and then as the smallest
 * that was full. Thread-safe.
 */
final class DebtLedgers {
    /** Of all lists that have a ledger of their own, unless there is but one: each takes eight bytes for each key. */
    private static final int MAX_OWN_LIMITS = 4;

    private final long maximumKeys;
    private final Map<Terms, DebtLedger> own = new ConcurrentHashMap<>();
    private final ReentrantLock additions = new ReentrantLock(); // or a debt could go to a ledger that is being removed
    private volatile @Nullable DebtLedger others; // written under additions
    private volatile long fewestOfOthers = Long.MAX_VALUE; // tokens in a full one; written under additions
    private final LongAdder added = new LongAdder(); // debts

    DebtLedgers(long maximumKeys) {
        this.maximumKeys = maximumKeys;
    }

    /** Notes what {@code key} owes by that state; nothing if it was paid at {@code longAgo}. */
    void add(String key, Terms terms, long[] state, long longAgo) {
        long nanos = terms.now(state, longAgo); // which is later where a debt can't be reckoned from so long ago
        long[] debts = terms.debts(state, nanos);
        if (isZero(debts)) {
            return;
        }
        long[] toPay = terms.nanos(debts);
        additions.lock();
        try {
            added.increment();
            DebtLedger ledger = own(terms, longAgo);
            if (ledger != null) {
                ledger.add(key, toPay, nanos);
            } else {
                fewestOfOthers = Math.min(fewestOfOthers, terms.smallestCapacity());
                others(longAgo).add(key, new long[] {LongStream.of(toPay).max().orElse(0)}, nanos);
            }
        } finally {
            additions.unlock();
        }
    }

    private @Nullable DebtLedger own(Terms terms, long longAgo) {
        DebtLedger ledger = own.get(terms);
        if (ledger != null && !ledger.isOutdated(longAgo)) {
            return ledger;
        }
        own.values().removeIf(each -> each.isPaid(longAgo));
        return hasRoom(terms)
                ? own.computeIfAbsent(terms, unused -> new DebtLedger(terms.size(), maximumKeys, longAgo))
                : null;
    }

    private boolean hasRoom(Terms terms) {
        int limits = terms.size();
        for (DebtLedger each : own.values()) {
            limits += each.limits();
        }
        return own.isEmpty() || limits <= MAX_OWN_LIMITS;
    }

    private DebtLedger others(long longAgo) {
        DebtLedger ledger = others;
        if (ledger == null || ledger.isOutdated(longAgo)) {
            others = ledger = new DebtLedger(1, maximumKeys, longAgo);
        }
        return ledger;
    }

    /**
     * Returns what {@code key} may owe under {@code terms} at {@code nanos}: the most of what any ledger says. A debt under
     * other terms that is paid still counts for {@code patienceNanos}, since their capacity may be smaller.
     */
    long[] debts(String key, Terms terms, long nanos, long patienceNanos) {
        long[] most = new long[terms.size()];
        own.forEach((ofLedger, ledger) -> {
            if (!isZero(ledger.nanos(key, nanos - patienceNanos))) {
                raise(most, terms.carried(ofLedger, ofLedger.ticks(ledger.nanos(key, nanos))));
            }
        });
        DebtLedger rest = others;
        if (rest != null && !isZero(rest.nanos(key, nanos - patienceNanos))) {
            long toPay = rest.nanos(key, nanos)[0];
            raise(most, toPay > 0 ? terms.debtsOfNothing(toPay) : terms.debtsAt(fewestOfOthers));
        }
        return most;
    }

    private static void raise(long[] most, long[] debts) {
        Arrays.setAll(most, i -> Math.max(most[i], debts[i]));
    }

    static boolean isZero(long[] debts) {
        return LongStream.of(debts).allMatch(debt -> debt == 0);
    }

    /** Returns how many debts were ever added. */
    long added() {
        return added.sum();
    }

    /** Returns about how full the fullest ledger is, from 0 to 1. */
    double fill(long now) {
        DebtLedger rest = others;
        double most = rest == null ? 0 : rest.fill(now);
        for (DebtLedger ledger : own.values()) {
            most = Math.max(most, ledger.fill(now));
        }
        return most;
    }

    int size() {
        return own.size() + (others == null ? 0 : 1);
    }
}
