package dev.ratelimit.spring.redis;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Claims of which no two are on one bucket, as those are added up. Immutable.
 *
 * @param places for each of the claims as they came, which one it is part of
 */
@SuppressWarnings("ArrayRecordComponent") // as nobody compares them
record DistinctClaims(List<Claim> claims, int[] places) {

    static DistinctClaims of(List<Claim> claims) {
        List<Claim> distinct = new ArrayList<>(claims.size());
        int[] places = new int[claims.size()];
        for (int i = 0; i < places.length; i++) {
            Claim claim = claims.get(i);
            int place = place(distinct, claim);
            places[i] = place;
            if (place == distinct.size()) {
                distinct.add(claim);
            } else {
                distinct.set(place, sum(distinct.get(place), claim));
            }
        }
        return new DistinctClaims(distinct, places);
    }

    private static int place(List<Claim> distinct, Claim claim) {
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

    /** Returns the decision on each of the claims as they came. */
    List<Decision> told(List<Decision> decisions) {
        Decision[] all = new Decision[places.length];
        Arrays.setAll(all, i -> decisions.get(places[i]));
        return List.of(all);
    }
}
