package dev.ratelimit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * What one caller took from buckets, and may give back: of each charge only the part that has not flowed in again since,
 * which would otherwise be there twice. Not thread-safe.
 *
 * <p>A charge moves the instant at which a bucket is full from F0 to F1. Tokens flow in for those who came first, so between F0
 * and F1 they do so for this charge: at any instant in between it has been paid up to there, and the rest can be given back.
 * If others have given back meanwhile, who may have come before, then F0 and F1 are earlier by as much. But F0 is never before
 * the charge itself, so what could not have flowed in since then can be given back in any case.
 */
final class Charges {
    /** Those of a caller who gives nothing back. */
    static final Charges NONE = new Charges();

    private final List<Charge> list = new ArrayList<>(1);
    private long undoneNanos; // of the charge that is about to be made
    private long changes; // the same
    private long resets; // the same

    /**
     * Tokens that were taken.
     *
     * @param nanos the reading of the clock at which they were
     * @param state what that left in the bucket; nobody writes it any more
     * @param undoneNanos what {@link Terms#undoneNanos} was before
     * @param changes what {@link Terms#changes} were before
     * @param resets what {@link Terms#resets} were before
     */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares two of them
    record Charge(
            GuardedBucket bucket, long tokens, long nanos, long[] state, long undoneNanos, long changes, long resets) {}

    /** Whether charges are to be added. */
    boolean areKept() {
        return this != NONE;
    }

    /** Has to be called before the state is read that a charge will change. */
    void begin(Terms terms) {
        if (areKept()) {
            undoneNanos = terms.undoneNanos();
            changes = terms.changes.get();
            resets = terms.resets.get();
        }
    }

    void add(GuardedBucket bucket, long tokens, long nanos, long[] state) {
        list.add(new Charge(bucket, tokens, nanos, state, undoneNanos, changes, resets));
    }

    void addAll(Charges others) {
        list.addAll(others.list);
    }

    void undo() {
        undo(charge -> {});
    }

    /** Undoes all charges, but those of buckets that are retired, which it leaves to {@code ofRetired}. */
    void undo(Consumer<Charge> ofRetired) {
        for (Charge charge : list) {
            if (!charge.bucket.undo(charge)) {
                ofRetired.accept(charge);
            }
        }
    }
}
