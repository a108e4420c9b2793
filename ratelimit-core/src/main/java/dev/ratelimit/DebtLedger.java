package dev.ratelimit;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What keys owe that are no longer tracked, one debt for each limit of a policy. Thread-safe.
 *
 * <p>Two rows of cells, each with a hash of its own, hold instants of the clock in nanoseconds at which debts will have been
 * paid. A key's debt goes into one cell of each row, merged by the maximum, and is read as the smaller of the two. So it is
 * never read as less than it was, however many keys were put in; and a key that shares both its cells with another is held to
 * that one's debt. Debts are handed on in that way: many more evicted keys than cells, within the time a bucket takes to fill,
 * add up, until newcomers are denied. This is a count-min sketch (Cormode and Muthukrishnan, 2005) whose sums are maxima.
 *
 * <p>The hashes are seeded for each ledger, so that nobody outside can choose keys that meet in a cell.
 */
final class DebtLedger {
    private static final int MIN_CELLS = 4_096;
    private static final int MAX_CELLS = 1 << 29;

    /** Before a ledger's first instant, so that no clock that goes back makes a debtor of anybody. */
    private static final long LONG_PAID_NANOS = 1L << 61;

    /** Far below the age at which what was long paid lies in the future again, on a clock that wraps around. */
    private static final long MAX_AGE_NANOS = 1L << 60;

    private final long[] seeds = new SecureRandom().longs(2).toArray();
    private final long since;
    private final AtomicLong paidAt; // of the last debt
    private final AtomicLongArray[][] rows; // by row and limit

    DebtLedger(int limits, long maximumKeys, long now) {
        since = now;
        long longPaid = now - LONG_PAID_NANOS;
        paidAt = new AtomicLong(longPaid);
        long[] initial = new long[cells(maximumKeys)];
        Arrays.fill(initial, longPaid);
        rows = new AtomicLongArray[seeds.length][limits];
        for (AtomicLongArray[] row : rows) {
            Arrays.setAll(row, limit -> new AtomicLongArray(initial));
        }
    }

    private static int cells(long maximumKeys) {
        return (int) Math.max(MIN_CELLS, Math.min(MAX_CELLS, maximumKeys - maximumKeys / 2));
    }

    /** Notes that {@code key} owes what takes {@code nanos} from {@code now} to pay, under each limit. */
    void add(String key, long[] nanos, long now) {
        for (int limit = 0; limit < nanos.length; limit++) {
            if (nanos[limit] > 0) {
                long instant = now + nanos[limit];
                paidAt.accumulateAndGet(instant, DebtLedger::later);
                for (int row = 0; row < rows.length; row++) {
                    rows[row][limit].accumulateAndGet(cell(key, seeds[row]), instant, DebtLedger::later);
                }
            }
        }
    }

    private static long later(long one, long other) {
        return one - other > 0 ? one : other;
    }

    /** Returns how long {@code key} takes to pay what it owes under each limit, and possibly more than it does owe. */
    long[] nanos(String key, long now) {
        if (isPaid(now)) {
            return new long[limits()];
        }
        long[] least = nanos(0, cell(key, seeds[0]), now);
        for (int row = 1; row < rows.length; row++) {
            long[] other = nanos(row, cell(key, seeds[row]), now);
            Arrays.setAll(least, limit -> Math.min(least[limit], other[limit]));
        }
        return least;
    }

    private long[] nanos(int row, int cell, long now) {
        long[] nanos = new long[rows[row].length];
        Arrays.setAll(nanos, limit -> Math.max(0, rows[row][limit].get(cell) - now));
        return nanos;
    }

    /**
     * Returns about which share of the cells holds a debt that is not paid yet, from 0 to 1, under the limit where that is
     * most. It looks at no more than a sample, as hashes spread debts evenly.
     */
    double fill(long now) {
        double most = 0;
        for (AtomicLongArray cells : rows[0]) {
            int owing = 0;
            for (int cell = 0; cell < MIN_CELLS; cell++) {
                owing += cells.get(cell) - now > 0 ? 1 : 0;
            }
            most = Math.max(most, (double) owing / MIN_CELLS);
        }
        return most;
    }

    /** Whether no key owes anything any more. */
    boolean isPaid(long now) {
        return paidAt.get() - now <= 0;
    }

    /** Whether this should take no more debts: it holds none, and its cells will be too old to be compared with the clock. */
    boolean isOutdated(long now) {
        return isPaid(now) && now - since > MAX_AGE_NANOS;
    }

    int limits() {
        return rows[0].length;
    }

    private int cell(String key, long seed) {
        long hash = seed;
        for (int i = 0; i < key.length(); i++) {
            hash = (hash ^ key.charAt(i)) * 0x9E37_79B9_7F4A_7C15L;
            hash ^= hash >>> 29;
        }
        long uniform = (hash * 0xBF58_476D_1CE4_E5B9L) >>> Integer.SIZE;
        return (int) ((uniform * rows[0][0].length()) >>> Integer.SIZE);
    }
}
