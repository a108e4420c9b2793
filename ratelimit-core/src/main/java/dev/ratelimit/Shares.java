package dev.ratelimit;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** How a limit is divided among the cells of a {@link StripedBucket}: the shares add up to it, and never to more. */
final class Shares {
    /** A cell is worth its while only if threads seldom have to go beyond it. */
    private static final long MIN_CAPACITY = 1_024;

    private Shares() {}

    /** Whether every limit is large enough for {@code count} shares, and the slower refill of each is within range. */
    static boolean arePossible(Terms terms, int count) {
        for (int i = 0; i < terms.size(); i++) {
            Limit limit = terms.limit(i).limit;
            if (limit.capacity() / count < MIN_CAPACITY
                    || limit.refillPeriod().toNanos() > Long.MAX_VALUE / count
                    || terms.limit(i).nanosToFull() > Gcra.MAX_DEBT / 4) {
                return false;
            }
        }
        return true;
    }

    static Terms of(Terms terms, int cell, int count) {
        List<Limit> shares = new ArrayList<>();
        for (int i = 0; i < terms.size(); i++) {
            Limit limit = terms.limit(i).limit;
            Duration period = limit.refillPeriod().multipliedBy(count);
            shares.add(new Limit(share(limit.capacity(), cell, count), limit.refillTokens(), period));
        }
        return new Terms(shares, terms.clock);
    }

    /** Returns the debts with which a cell begins, for a whole that has {@code debts}. */
    static long[] debts(Terms terms, long[] debts, Terms share, int cell, int count) {
        long[] shared = new long[debts.length];
        for (int i = 0; i < debts.length; i++) {
            Gcra whole = terms.limit(i);
            long waitNanos = whole.nanos(Math.max(0, debts[i] - whole.burst));
            shared[i] = share.limit(i).debtAt(share(whole.tokens(debts[i]), cell, count))
                    + share.limit(i).ticks(waitNanos);
        }
        return shared;
    }

    static long share(long tokens, int cell, int count) {
        return tokens / count + (cell < tokens % count ? 1 : 0);
    }

    /** Returns how many tokens fill a cell, under the limit that has most room for them. */
    static long missingTokens(GuardedBucket cell) {
        return missingTokens(cell, 0);
    }

    /** Returns how many tokens bring a cell back to where it is only empty. */
    static long overdrawnTokens(GuardedBucket cell) {
        return missingTokens(cell, 1);
    }

    /** Returns how many tokens leave {@code bursts} of a cell missing, under the limit that has most room for them. */
    private static long missingTokens(GuardedBucket cell, int bursts) {
        long[] debts = cell.terms.debts(cell.state(), cell.terms.clock.nanos());
        long most = 0;
        for (int i = 0; i < debts.length; i++) {
            Gcra limit = cell.terms.limit(i);
            most = Math.max(most, limit.missing(Math.max(0, debts[i] - bursts * limit.burst)));
        }
        return most;
    }

    /** Returns how many tokens a cell has to give. */
    static long tokens(GuardedBucket cell) {
        return cell.terms.tokens(cell.state(), cell.terms.clock.nanos());
    }

    /** Whether a cell's line leaves room for as much again as it holds; a longer one, nobody could wait out. */
    static boolean hasRoom(Terms share, long[] state, long nanos) {
        long[] debts = share.debts(state, nanos);
        for (int i = 0; i < debts.length; i++) {
            if (debts[i] > Gcra.MAX_DEBT - share.limit(i).burst) {
                return false;
            }
        }
        return true;
    }

    @SuppressWarnings("ReferenceEquality") // it is one of them
    static int indexOf(Terms share, Limit limit) {
        int i = 0;
        while (share.limit(i).limit != limit) {
            i++;
        }
        return i;
    }
}
