package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.Reservation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A limiter that cannot be asked about some policies for the time being, and then denies. */
public final class AbsentLimiter implements RateLimiter {
    private final RateLimiter present;
    private final Set<String> absent = ConcurrentHashMap.newKeySet();

    public AbsentLimiter(NanoClock clock) {
        present = LocalRateLimiter.builder().clock(clock).build();
    }

    public void leave(String policy) {
        absent.add(policy);
    }

    public void comeBack(String policy) {
        absent.remove(policy);
    }

    private Decision decide(Policy policy, Decision known) {
        return absent.contains(policy.name())
                ? new Decision(
                        false,
                        0,
                        1_500_000_000L,
                        1_500_000_000L,
                        policy.limits().get(0),
                        true)
                : known;
    }

    @Override
    public List<Decision> tryConsume(List<Claim> claims) {
        return reserve(claims, Duration.ZERO).decisions();
    }

    @Override
    public Reservation reserve(List<Claim> claims, Duration maxWait) {
        if (claims.stream().noneMatch(claim -> absent.contains(claim.policy().name()))) {
            return present.reserve(claims, maxWait);
        }
        List<Decision> decisions = new ArrayList<>();
        for (Claim claim : claims) {
            decisions.add(decide(claim.policy(), present.peek(claim.policy(), claim.key(), claim.tokens())));
        }
        return new Reservation(decisions, null);
    }

    @Override
    public Decision peek(Policy policy, String key, long tokens) {
        return decide(policy, present.peek(policy, key, tokens));
    }

    @Override
    public void refund(Policy policy, String key, long tokens) {
        present.refund(policy, key, tokens);
    }

    @Override
    public void charge(Policy policy, String key, long tokens) {
        present.charge(policy, key, tokens);
    }

    @Override
    public void reset(Policy policy, String key) {
        present.reset(policy, key);
    }
}
