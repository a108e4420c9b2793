package dev.ratelimit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * What one caller took from buckets, and may give back: of each charge only the part that has not flowed in again since,
 * which would otherwise be there twice. Not thread-safe.
 *
 * <p>A charge moves the instant at which a bucket is full from F0 to F1, or from now where it is full already. Tokens flow in
 * for those who came first, so between F0 and F1 they do so for this charge: at any instant in between, that has been paid
 * up to there, and the rest is what can be given back.
 */
final class Charges {
    /** Those of a caller who gives nothing back. */
    static final Charges NONE = new Charges();

    private final List<Charge> list = new ArrayList<>(1);

    /**
     * Tokens that were taken.
     *
     * @param state what that left in the bucket; nobody writes it any more
     */
    record Charge(GuardedBucket bucket, long tokens, long[] state) {}

    /** Whether charges are to be added. */
    boolean areKept() {
        return this != NONE;
    }

    void add(GuardedBucket bucket, long tokens, long[] state) {
        list.add(new Charge(bucket, tokens, state));
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
