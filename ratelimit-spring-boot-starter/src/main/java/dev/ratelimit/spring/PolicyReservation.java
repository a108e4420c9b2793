package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.Reservation;
import java.util.ArrayList;
import java.util.List;

/**
 * What the limiter decided on a list of claims, and the way to undo it. Thread-safe.
 *
 * @param decisions one for each claim, in their order
 * @param reservation what was taken for them, and for the penalties that they are under
 * @hidden
 */
public record PolicyReservation(List<Claim> claims, List<PolicyDecision> decisions, Reservation reservation) {

    /** Gives back what was taken, as {@link Reservation#undo} does, and returns what the policies say then. */
    public List<PolicyDecision> undo() {
        reservation.undo();
        List<PolicyDecision> undone = new ArrayList<>(claims.size());
        for (int i = 0; i < claims.size(); i++) {
            undone.add(decisions.get(i).givenBack(claims.get(i).tokens()));
        }
        return undone;
    }
}
