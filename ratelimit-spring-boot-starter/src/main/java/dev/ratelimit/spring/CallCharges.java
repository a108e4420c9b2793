package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/** What one call of a {@link RateLimited} method was charged with. Thread-safe. */
final class CallCharges implements RateLimitCharges {
    private final PolicyLimiter limiter;
    private final List<Claim> charged;
    private final AtomicLongArray standing; // tokens that are charged as things stand

    CallCharges(PolicyLimiter limiter, List<Claim> charged) {
        this.limiter = limiter;
        this.charged = charged;
        this.standing =
                new AtomicLongArray(charged.stream().mapToLong(Claim::tokens).toArray());
    }

    @Override
    public void settle(long actualTokens) {
        requireNotNegative(actualTokens);
        for (int i = 0; i < charged.size(); i++) {
            settle(i, actualTokens);
        }
    }

    @Override
    public void settle(String policy, long actualTokens) {
        requireNotNegative(actualTokens);
        boolean found = false;
        for (int i = 0; i < charged.size(); i++) {
            if (charged.get(i).policy().name().equals(policy)) {
                settle(i, actualTokens);
                found = true;
            }
        }
        if (!found) {
            limiter.requireConfigured(policy);
        }
    }

    private void settle(int i, long actualTokens) {
        Claim claim = charged.get(i);
        limiter.correct(claim.policy(), claim.key(), actualTokens - standing.getAndSet(i, actualTokens));
    }

    private static void requireNotNegative(long tokens) {
        if (tokens < 0) {
            throw new IllegalArgumentException("actualTokens must not be negative: " + tokens);
        }
    }
}
