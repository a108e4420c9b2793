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
    private final List<Claim> claims;
    private final List<TokenBucket> buckets = new ArrayList<>();

    Claims(LocalRateLimiter limiter, List<Claim> claims) {
        this.claims = claims;
        for (Claim claim : claims) {
            buckets.add(limiter.bucket(claim));
        }
    }

    List<Decision> tryConsume() {
        List<Decision> decisions = new ArrayList<>();
        boolean allowed = true;
        for (int i = 0; i < claims.size(); i++) {
            int first = first(i);
            decisions.add(first < i ? decisions.get(first) : buckets.get(i).peek(sum(i)));
            allowed &= decisions.get(i).allowed();
        }
        for (int i = 0; i < claims.size() && allowed; i++) {
            int first = first(i);
            decisions.set(i, first < i ? decisions.get(first) : buckets.get(i).tryConsume(sum(i)));
            allowed = decisions.get(i).allowed();
            if (!allowed) {
                refundBefore(i);
            }
        }
        return List.copyOf(decisions);
    }

    private void refundBefore(int end) {
        for (int i = 0; i < end; i++) {
            if (first(i) == i) {
                buckets.get(i).refund(sum(i));
            }
        }
    }

    /** Returns the index of the first claim on the bucket of claim {@code i}. */
    private int first(int i) {
        return buckets.indexOf(buckets.get(i));
    }

    /** Returns what all claims on the bucket of claim {@code i} ask for together. */
    private long sum(int i) {
        long sum = 0;
        for (int j = 0; j < claims.size(); j++) {
            if (buckets.get(j) == buckets.get(i)) {
                long tokens = claims.get(j).tokens();
                sum = tokens > Long.MAX_VALUE - sum ? Long.MAX_VALUE : sum + tokens;
            }
        }
        return sum;
    }
}
