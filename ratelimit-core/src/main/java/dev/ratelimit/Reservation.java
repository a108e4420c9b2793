package dev.ratelimit;

import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What a limiter decided on a list of claims, and the way to undo it: for a caller who may yet find that what the tokens were
 * taken for does not come about. Thread-safe.
 *
 * <p>To undo is not to refund. Some of the tokens may have flowed in again since they were taken, and others may have had
 * them, so that with a refund they would be there twice. Only the rest is given back.
 *
 * <pre>{@code
 * Reservation reservation = limiter.reserve(claims, Duration.ofSeconds(2));
 * if (reservation.allowed()) {
 *     try {
 *         clock.sleep(reservation.waitNanos());
 *     } catch (InterruptedException e) {
 *         reservation.undo();
 *         throw e;
 *     }
 * }
 * }</pre>
 */
public final class Reservation {
    private final List<Decision> decisions;
    private final boolean allowed;
    private final AtomicReference<@Nullable Runnable> undo; // null if there is nothing to undo, or no longer

    /**
     * Creates what a limiter decided.
     *
     * @param decisions one for each claim, in their order
     * @param undo gives back what was taken, if all of them allow it; called once at most, and null for nothing
     */
    public Reservation(List<Decision> decisions, @Nullable Runnable undo) {
        this.decisions = List.copyOf(decisions);
        this.allowed = areAllowed(decisions);
        this.undo = new AtomicReference<>(allowed ? undo : null);
    }

    private static boolean areAllowed(List<Decision> decisions) {
        for (Decision decision : decisions) {
            if (!decision.allowed()) {
                return false;
            }
        }
        return true;
    }

    /** {@return one decision for each claim, in their order} */
    public List<Decision> decisions() {
        return decisions;
    }

    /** {@return whether every claim was allowed and charged; none was otherwise} */
    public boolean allowed() {
        return allowed;
    }

    /** {@return how long the caller has to wait before it goes on, if that is allowed: the longest wait of the decisions} */
    public long waitNanos() {
        long longest = 0;
        for (Decision decision : decisions) {
            longest = Math.max(longest, decision.retryAfterNanos());
        }
        return longest;
    }

    /**
     * Gives back what was taken, but for what has flowed in again since; nothing if it was denied, or undone before. It may be
     * less than that where others have given back meanwhile or a key of the policy was reset, and never more.
     */
    public void undo() {
        Runnable once = undo.getAndSet(null);
        if (once != null) {
            once.run();
        }
    }

    @Override
    public String toString() {
        return "Reservation" + decisions;
    }
}
