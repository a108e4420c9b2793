package dev.ratelimit;

import java.util.Arrays;
import java.util.List;

/**
 * A list of claims on the way through a {@link LocalRateLimiter}, all or nothing.
 *
 * <p>All are looked at first, so that a denial that can be foreseen touches no bucket. Then they are taken in order; if
 * another thread was quicker at one of them, what was taken before it is given back, but for what has flowed in again
 * meanwhile. In between, a third thread may be denied tokens that come back.
 */
final class Claims {
    private final LocalRateLimiter limiter;
    private final Claim[] distinct; // of which there are count
    private final int[] places; // in distinct, of each claim
    private final Charges[] charges; // of each distinct one
    private int count;

    /** Adds up the claims on one bucket. */
    Claims(LocalRateLimiter limiter, List<Claim> claims) {
        this.limiter = limiter;
        distinct = new Claim[claims.size()];
        places = new int[claims.size()];
        charges = new Charges[claims.size()];
        for (int i = 0; i < places.length; i++) {
            Claim claim = claims.get(i);
            int place = place(claim);
            places[i] = place;
            if (place == count) {
                distinct[count++] = claim;
            } else {
                distinct[place] = sum(distinct[place], claim);
            }
        }
    }

    private int place(Claim claim) {
        int place = 0;
        while (place < count && !isOnOneBucket(distinct[place], claim)) {
            place++;
        }
        return place;
    }

    private static boolean isOnOneBucket(Claim one, Claim other) {
        return one.policy().name().equals(other.policy().name()) && one.key().equals(other.key());
    }

    private static Claim sum(Claim one, Claim other) {
        long tokens = one.tokens() > Long.MAX_VALUE - other.tokens() ? Long.MAX_VALUE : one.tokens() + other.tokens();
        return new Claim(one.policy(), one.key(), tokens);
    }

    /** Takes the tokens of all for a caller who waits up to {@code maxWaitNanos}. */
    List<Decision> reserve(long maxWaitNanos) {
        Decision[] decisions = new Decision[count];
        boolean allowed = count == 1 || wouldBeAllowed(maxWaitNanos, decisions);
        for (int i = 0; i < count && allowed; i++) {
            Claim claim = distinct[i];
            charges[i] = new Charges();
            decisions[i] = limiter.reserve(claim.policy(), claim.key(), claim.tokens(), maxWaitNanos, charges[i]);
            allowed = decisions[i].allowed();
            if (!allowed) {
                undo(i);
            }
        }
        Decision[] all = new Decision[places.length];
        Arrays.setAll(all, i -> decisions[places[i]]);
        return List.of(all);
    }

    private boolean wouldBeAllowed(long maxWaitNanos, Decision[] decisions) {
        boolean allowed = true;
        for (int i = 0; i < count; i++) {
            Claim claim = distinct[i];
            decisions[i] = limiter.decide(claim.policy(), claim.key(), claim.tokens(), maxWaitNanos);
            allowed &= decisions[i].allowed();
        }
        return allowed;
    }

    /** Gives back what was taken. */
    void undo() {
        undo(count);
    }

    private void undo(int end) {
        for (int i = 0; i < end; i++) {
            limiter.undo(distinct[i].policy(), distinct[i].key(), charges[i]);
        }
    }
}
