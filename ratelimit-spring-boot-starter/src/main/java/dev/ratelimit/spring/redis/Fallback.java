package dev.ratelimit.spring.redis;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.Reservation;
import dev.ratelimit.spring.OnFailure;
import dev.ratelimit.spring.redis.BucketScript.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;

/** What this process decides by itself: on buckets that are not shared, and on its share of the others without Redis. Thread-safe. */
final class Fallback {
    private final LocalRateLimiter local;
    private final SharedPolicies policies;
    private final Consumer<String> degraded;

    Fallback(LocalRateLimiter local, SharedPolicies policies, Consumer<String> degraded) {
        this.local = local;
        this.policies = policies;
        this.degraded = degraded;
    }

    /** Decides claims on buckets of this process. */
    Reservation decideHere(List<Claim> claims, Operation operation, Duration maxWait) {
        if (operation == Operation.CONSUME) {
            return local.reserve(claims, maxWait);
        }
        List<Decision> decisions = new ArrayList<>(claims.size());
        for (Claim claim : claims) {
            decisions.add(local.peek(claim.policy(), claim.key(), claim.tokens()));
        }
        return new Reservation(decisions, null);
    }

    /** Decides without Redis, as the policies say. */
    Reservation decide(DistinctClaims distinct, Operation operation, Duration maxWait) {
        if (operation == Operation.CONSUME) { // whoever only looks decides nothing
            noteDegraded(distinct);
        }
        List<Claim> asked = new ArrayList<>();
        boolean allowed = true;
        for (Claim claim : distinct.claims()) {
            if (!policies.isShared(claim)) {
                asked.add(claim);
                continue;
            }
            if (policies.onFailure(claim) == OnFailure.LOCAL) {
                asked.add(policies.share(claim));
            } else {
                allowed &= withoutAsking(claim).allowed();
            }
        }
        Reservation taken = decideHere(asked, allowed ? operation : Operation.PEEK, maxWait);
        Iterator<Decision> here = taken.decisions().iterator();
        List<Decision> decisions = new ArrayList<>(distinct.claims().size());
        for (Claim claim : distinct.claims()) {
            if (!policies.isShared(claim)) {
                decisions.add(here.next());
            } else if (policies.onFailure(claim) == OnFailure.LOCAL) {
                decisions.add(policies.inRedis(claim.policy()).told(here.next(), claim.tokens()));
            } else {
                decisions.add(withoutAsking(claim));
            }
        }
        return new Reservation(decisions, taken::undo);
    }

    private void noteDegraded(DistinctClaims distinct) {
        for (Claim claim : distinct.claims()) {
            if (policies.isShared(claim)) {
                degraded.accept(claim.policy().name());
            }
        }
    }

    private Decision withoutAsking(Claim claim) {
        return policies.onFailure(claim) == OnFailure.ALLOW
                ? policies.inRedis(claim.policy()).decideFull(claim.tokens())
                : policies.inRedis(claim.policy()).unavailable();
    }

    /** Keeps the bucket of this process as it would be, had it decided; so that it holds no second burst when it has to. */
    Reservation takeFromShare(RedisClaim claim) {
        if (policies.onFailure(claim.claim()) != OnFailure.LOCAL) {
            return new Reservation(List.of(), null);
        }
        return takeWhatFits(policies.share(claim.claim()));
    }

    private Reservation takeWhatFits(Claim share) {
        Reservation taken = local.reserve(List.of(share), Duration.ZERO);
        long remaining = taken.decisions().get(0).remaining();
        return taken.allowed() || remaining == 0
                ? taken
                : local.reserve(List.of(new Claim(share.policy(), share.key(), remaining)), Duration.ZERO);
    }

    /**
     * Takes from the bucket of this process what was used already. Of what Redis {@code isTold}, only the part of this process
     * can become a debt: it is paid as soon as the one there, and all of it would be as many times later as there are processes.
     */
    void chargeShare(Claim claim, boolean isTold) {
        if (policies.onFailure(claim) != OnFailure.LOCAL) {
            return;
        }
        Claim share = policies.share(claim);
        long owed = isTold ? policies.share(claim.tokens()) : claim.tokens();
        if (owed > 0) {
            local.charge(share.policy(), share.key(), owed);
        }
        if (owed < claim.tokens()) {
            takeWhatFits(new Claim(share.policy(), share.key(), claim.tokens() - owed));
        }
    }

    /** Gives back to the bucket of this process what Redis is told to give back. */
    void refundShare(Claim claim) {
        if (policies.onFailure(claim) == OnFailure.LOCAL) {
            Claim share = policies.share(claim);
            local.refund(share.policy(), share.key(), share.tokens());
        }
    }
}
