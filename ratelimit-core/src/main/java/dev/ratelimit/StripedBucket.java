package dev.ratelimit;

import dev.ratelimit.Charges.Charge;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;

/**
 * The bucket behind {@link Synchronization#STRIPED}: cells, each with a share of the capacity and of the refill.
 *
 * <p>A thread consumes from its own cell as long as that suffices. Otherwise it gathers from all of them, and gives back
 * what it has if another thread was quicker somewhere, and looks again; it is denied only when all cells together do not
 * hold enough. Since the shares add up to the limit, so does what is admitted.
 */
final class StripedBucket extends GuardedBucket {
    private final GuardedBucket[] cells;
    private final ReentrantLock additions = new ReentrantLock();

    /** Returns a bucket of four times as many cells as there are processors, so that threads seldom meet in one. */
    static GuardedBucket of(Terms terms, long[] state) {
        return of(
                terms, state, 4 * Integer.highestOneBit(2 * Runtime.getRuntime().availableProcessors() - 1));
    }

    /** Returns a bucket of at most {@code cells}, a power of two; fewer, or none at all, if their shares were too small. */
    static GuardedBucket of(Terms terms, long[] state, int cells) {
        int count = cells;
        while (count > 1 && !Shares.arePossible(terms, count)) {
            count /= 2;
        }
        return count == 1 ? CasBucket.of(terms, state) : new StripedBucket(terms, state, count);
    }

    private StripedBucket(Terms terms, long[] state, int count) {
        super(terms);
        long nanos = terms.anchor(state);
        long[] debts = terms.debts(state, nanos);
        cells = new GuardedBucket[count];
        for (int i = 0; i < count; i++) {
            Terms share = Shares.of(terms, i, count);
            long[] shareState = share.stateOwing(Shares.debts(terms, debts, share, i, count), nanos);
            cells[i] = share.size() == 1
                    ? new PaddedCasBucket(share, shareState)
                    : new PaddedCasArrayBucket(share, shareState);
        }
    }

    GuardedBucket cell(int i) {
        return cells[i];
    }

    /** Threads that are made one after the other are far apart: by a golden section (Knuth, volume 3, 6.4). */
    private int home() {
        long id = Thread.currentThread().getId();
        return (int) ((id * 0x9E37_79B9_7F4A_7C15L) >>> Long.numberOfLeadingZeros(cells.length - 1L));
    }

    @Override
    Decision reserve(long tokens, long maxWaitNanos, Charges charges) {
        int home = home();
        Decision own = cells[home].reserve(tokens, 0, charges);
        return own.allowed() ? whole(own, home) : gather(home, tokens, maxWaitNanos, own.limit(), charges);
    }

    @Override
    Decision decide(long tokens, long maxWaitNanos) {
        int home = home();
        Decision own = cells[home].decide(tokens, 0);
        return own.allowed() ? whole(own, home) : new View().decision(tokens, maxWaitNanos, limit(home, own.limit()));
    }

    private Decision gather(int home, long tokens, long maxWaitNanos, Limit decider, Charges charges) {
        while (true) {
            View view = new View();
            Decision decision = view.decision(tokens, maxWaitNanos, limit(home, decider));
            if (!decision.allowed() || takeAll(view, home, tokens, decision.retryAfterNanos(), charges)) {
                return decision;
            }
        }
    }

    /** Takes all or nothing. One caller at a time, and none while the cells are retired, or a part could be lost. */
    private boolean takeAll(View view, int home, long tokens, long waitNanos, Charges charges) {
        additions.lock();
        try {
            if (isRetired()) {
                return false;
            }
            Charges taken = new Charges();
            boolean done = take(view, home, tokens, waitNanos, taken);
            if (!done) {
                taken.undo();
            } else if (charges.areKept()) {
                charges.addAll(taken);
            }
            return done;
        } finally {
            additions.unlock();
        }
    }

    /** Reserves from one cell after the other what it will hold in {@code waitNanos}, and returns whether that was enough. */
    private boolean take(View view, int home, long tokens, long waitNanos, Charges taken) {
        long missing = tokens;
        for (int i = 0; i < cells.length && missing > 0; i++) {
            int cell = (home + i) & (cells.length - 1);
            long part = Math.min(missing, view.tokens(cell, waitNanos));
            if (part > 0) {
                if (!cells[cell].reserve(part, waitNanos, taken).allowed()) {
                    break;
                }
                missing -= part;
            }
        }
        return missing == 0;
    }

    /**
     * Debts are paid first; then each cell gets what it lacks, so that nothing is lost in one that is full. And none is left in
     * debt before all are empty. One caller at a time, so that no two see the same room, and none while the cells are retired,
     * or a part could be lost.
     */
    @Override
    boolean add(long tokens) {
        additions.lock();
        try {
            if (isRetired()) {
                return false;
            }
            if (tokens == Terms.ALL) {
                Arrays.stream(cells).forEach(cell -> cell.add(Terms.ALL));
                return true;
            }
            long left = addUpTo(tokens > 0 ? Shares::overdrawnTokens : Shares::tokens, tokens);
            long share = Math.abs(left) / cells.length + 1;
            addUpTo(tokens > 0 ? Shares::missingTokens : cell -> share, left);
            return true;
        } finally {
            additions.unlock();
        }
    }

    /** Gives nothing back, and is done: a charge is one of a cell, and what lies ahead of it was known of that cell only. */
    @Override
    boolean undo(Charge charge) {
        return !isRetired();
    }

    /**
     * Undoes a charge of a cell by {@code upToRoom}, which returns how many tokens the cell has no room for, and gives those to
     * others. One caller at a time, or a refund could fill the room that one has just seen. Returns whether the cell did, which a
     * retired one does not do.
     */
    private boolean undoInCell(LongSupplier upToRoom) {
        additions.lock();
        try {
            long beyondRoom = upToRoom.getAsLong();
            if (beyondRoom > 0) {
                addUpTo(Shares::missingTokens, beyondRoom);
            }
            return beyondRoom >= 0;
        } finally {
            additions.unlock();
        }
    }

    /** Adds to each cell, or takes from it, no more than {@code most} of it, and returns what is left. */
    private long addUpTo(ToLongFunction<GuardedBucket> most, long tokens) {
        long left = tokens;
        int home = home();
        for (int i = 0; i < cells.length && left != 0; i++) {
            GuardedBucket cell = cells[(home + i) & (cells.length - 1)];
            long part = Math.min(Math.abs(left), most.applyAsLong(cell)) * Long.signum(left);
            if (part != 0 && cell.add(part)) {
                left -= part;
            }
        }
        return left;
    }

    @Override
    long[] state() {
        return together(Arrays.stream(cells).map(GuardedBucket::state).toArray(long[][]::new));
    }

    @Override
    long[] retire() {
        additions.lock();
        try {
            return together(Arrays.stream(cells).map(GuardedBucket::retire).toArray(long[][]::new));
        } finally {
            additions.unlock();
        }
    }

    @Override
    boolean isRetired() {
        return cells[0].isRetired();
    }

    private long[] together(long[][] states) {
        long nanos = terms.clock.nanos();
        for (int i = 0; i < cells.length; i++) {
            nanos = cells[i].terms.now(states[i], nanos);
        }
        long[] debts = new long[terms.size()];
        for (int limit = 0; limit < debts.length; limit++) {
            long tokens = 0;
            long waitNanos = 0;
            for (int i = 0; i < cells.length; i++) {
                Gcra share = cells[i].terms.limit(limit);
                long debt = cells[i].terms.debts(states[i], nanos)[limit];
                tokens += share.tokens(debt);
                waitNanos = Math.max(waitNanos, share.nanos(Math.max(0, debt - share.burst)));
            }
            debts[limit] =
                    terms.limit(limit).debtAt(tokens) + terms.limit(limit).ticks(waitNanos);
        }
        return terms.stateOwing(debts, nanos);
    }

    /** Returns the decision of one cell in terms of the whole, which is taken to be as full as that cell. */
    private Decision whole(Decision own, int home) {
        return new Decision(
                true,
                own.remaining() * cells.length,
                own.retryAfterNanos(),
                own.resetAfterNanos(),
                limit(home, own.limit()));
    }

    private Limit limit(int cell, Limit share) {
        return terms.limit(Shares.indexOf(cells[cell].terms, share)).limit;
    }

    /** What all cells looked like, one after the other, at about one time. */
    private final class View {
        private final long nanos = terms.clock.nanos();
        private final long[][] states = new long[cells.length][];

        View() {
            for (int i = 0; i < cells.length; i++) {
                states[i] = cells[i].state();
            }
        }

        long tokens(int cell, long waitNanos) {
            return cells[cell].terms.tokens(states[cell], nanos + waitNanos);
        }

        private long tokens(long waitNanos) {
            long sum = 0;
            for (int i = 0; i < cells.length; i++) {
                sum += tokens(i, waitNanos);
            }
            return sum;
        }

        Decision decision(long tokens, long maxWaitNanos, Limit decider) {
            long held = tokens(0);
            long resetAfterNanos = resetAfterNanos();
            long waitNanos = held >= tokens ? 0 : waitNanos(tokens, resetAfterNanos);
            boolean allowed = waitNanos <= maxWaitNanos && waitNanos != Long.MAX_VALUE && hasRoom();
            long left = allowed ? Math.max(0, held - tokens) : held;
            return new Decision(allowed, left, waitNanos, resetAfterNanos, decider);
        }

        private boolean hasRoom() {
            if (isRetired()) {
                return false;
            }
            for (int i = 0; i < cells.length; i++) {
                if (!Shares.hasRoom(cells[i].terms, states[i], nanos)) {
                    return false;
                }
            }
            return true;
        }

        private long resetAfterNanos() {
            long longest = 0;
            for (int i = 0; i < cells.length; i++) {
                longest = Math.max(longest, cells[i].terms.nanosToFull(states[i], nanos));
            }
            return longest;
        }

        /**
         * Returns the time until the cells together hold {@code tokens}, more than they do now. Nothing changes before one of
         * them has its next token, which is all that most callers lack; else that is searched for.
         */
        private long waitNanos(long tokens, long resetAfterNanos) {
            if (tokens > terms.smallestCapacity()) {
                return Long.MAX_VALUE;
            }
            long enough = nanosToNextToken(resetAfterNanos);
            if (tokens(enough) >= tokens) {
                return enough;
            }
            long tooShort = enough;
            enough = resetAfterNanos;
            while (enough - tooShort > 1) {
                long middle = tooShort + (enough - tooShort) / 2;
                if (tokens(middle) >= tokens) {
                    enough = middle;
                } else {
                    tooShort = middle;
                }
            }
            return enough;
        }

        private long nanosToNextToken(long resetAfterNanos) {
            long soonest = resetAfterNanos;
            for (int i = 0; i < cells.length; i++) {
                soonest = Math.min(soonest, cells[i].terms.waitNanos(states[i], nanos, tokens(i, 0) + 1));
            }
            return soonest;
        }
    }

    /** Fields to fill two cache lines, so that no two cells share one. */
    @SuppressWarnings("UnusedVariable")
    private final class PaddedCasBucket extends CasBucket {
        long p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14;

        PaddedCasBucket(Terms terms, long[] state) {
            super(terms, state);
        }

        @Override
        boolean undo(Charge charge) {
            return undoInCell(() -> undoUpToRoom(charge));
        }
    }

    /** The same. */
    @SuppressWarnings("UnusedVariable")
    private final class PaddedCasArrayBucket extends CasArrayBucket {
        long p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14;

        PaddedCasArrayBucket(Terms terms, long[] state) {
            super(terms, state);
        }

        @Override
        boolean undo(Charge charge) {
            return undoInCell(() -> undoUpToRoom(charge));
        }
    }
}
