package dev.ratelimit.spring.redis;

import dev.ratelimit.Claim;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.OnFailure;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;

/** Tells which policies are shared by way of Redis, and how. Thread-safe. */
final class SharedPolicies {
    private static final int MAX_KNOWN_POLICIES = 1_024;

    private final Predicate<String> shared;
    private final Function<String, OnFailure> onFailure;
    private final int instances;
    private final Map<Policy, RedisPolicy> known = new ConcurrentHashMap<>();

    SharedPolicies(Predicate<String> shared, Function<String, OnFailure> onFailure, int instances) {
        this.shared = shared;
        this.onFailure = onFailure;
        this.instances = instances;
    }

    boolean areShared(String policy) {
        return shared.test(policy);
    }

    boolean isShared(Claim claim) {
        return areShared(claim.policy().name());
    }

    OnFailure onFailure(String policy) {
        return onFailure.apply(policy);
    }

    OnFailure onFailure(Claim claim) {
        return onFailure(claim.policy().name());
    }

    /** Returns the claim on the bucket that this process has for it. */
    Claim share(Claim claim) {
        return new Claim(inRedis(claim.policy()).share, claim.key(), claim.tokens());
    }

    /** Returns the part that this process has of {@code tokens}, rounded down. */
    long share(long tokens) {
        return tokens / instances;
    }

    /**
     * Returns a policy as Redis has it.
     *
     * @throws IllegalArgumentException if it does not fit there
     */
    RedisPolicy inRedis(Policy policy) {
        RedisPolicy found = known.get(policy);
        if (found != null) {
            return found;
        }
        if (known.size() >= MAX_KNOWN_POLICIES) {
            known.clear();
        }
        return known.computeIfAbsent(policy, unknown -> new RedisPolicy(unknown, instances));
    }
}
