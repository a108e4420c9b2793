package dev.ratelimit;

import java.util.ArrayList;
import java.util.List;

/**
 * A list of claims on the way through a {@link LocalRateLimiter}, all or nothing.
 *
 * <p>All are looked at first, so that a denial that can be foreseen touches no bucket. Then they are consumed in order; if
 * another thread was quicker at one of them, what was taken before it is given back. In between, a third thread may be
 * denied tokens that come back; none is ever admitted too many.
 */
final class Claims {
    private final RateLimiter limiter;
    private final List<Claim> distinct = new ArrayList<>();
    private final List<Integer> places = new ArrayList<>(); // in distinct, of each claim

    /** Adds up the claims on one bucket. */
    Claims(RateLimiter limiter, List<Claim> claims) {
        this.limiter = limiter;
        for (Claim claim : claims) {
            int place = place(claim);
            places.add(place);
            if (place == distinct.size()) {
                distinct.add(claim);
            } else {
                distinct.set(place, sum(distinct.get(place), claim));
            }
        }
    }

    private int place(Claim claim) {
        int place = 0;
        while (place < distinct.size() && !isOnOneBucket(distinct.get(place), claim)) {
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

    List<Decision> tryConsume() {
        List<Decision> decisions = new ArrayList<>(distinct.size());
        boolean allowed = true;
        for (Claim claim : distinct) {
            decisions.add(limiter.peek(claim.policy(), claim.key(), claim.tokens()));
            allowed &= decisions.get(decisions.size() - 1).allowed();
        }
        for (int i = 0; i < distinct.size() && allowed; i++) {
            Claim claim = distinct.get(i);
            decisions.set(i, limiter.tryConsume(claim.policy(), claim.key(), claim.tokens()));
            allowed = decisions.get(i).allowed();
            if (!allowed) {
                distinct.subList(0, i).forEach(each -> limiter.refund(each.policy(), each.key(), each.tokens()));
            }
        }
        return places.stream().map(decisions::get).toList();
    }
}
