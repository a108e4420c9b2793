package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.OnFailure;
import dev.ratelimit.spring.Penalty;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.Backend;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.PolicyProperties;
import dev.ratelimit.spring.redis.RedisRateLimiter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Tells by a policy's name whether its buckets are in Redis, and what decides while that cannot be asked. Immutable.
 *
 * <p>What counts the denials that a penalty follows is in each instance, so that a request still takes one round trip; the
 * stricter limits are where the policy's own are.
 */
final class RedisPolicies {
    private final Map<String, Boolean> inRedis = new HashMap<>();
    private final Map<String, OnFailure> onFailure = new HashMap<>();
    private final boolean others;
    private final int instances;

    RedisPolicies(RateLimitProperties properties) {
        this.others = properties.backend() == Backend.REDIS;
        this.instances = properties.redis().instances();
        properties.policies().forEach((name, policy) -> {
            add(name, properties.isInRedis(policy), policy);
            if (policy.penalty() != null) {
                List<String> names = Penalty.names(name);
                add(names.get(0), false, policy);
                add(names.get(1), false, policy);
                add(names.get(2), properties.isInRedis(policy), policy);
            }
        });
    }

    private void add(String name, boolean redis, PolicyProperties policy) {
        inRedis.put(name, redis);
        onFailure.put(name, policy.onFailure() == null ? OnFailure.LOCAL : policy.onFailure());
    }

    /** Whether the buckets of that policy are in Redis; one that is not of application.yml goes by ratelimit.backend. */
    boolean areInRedis(String policy) {
        return inRedis.getOrDefault(policy, others);
    }

    OnFailure onFailure(String policy) {
        return onFailure.getOrDefault(policy, OnFailure.LOCAL);
    }

    /** Whether some policy is left to the buckets of each instance while Redis cannot be asked. */
    boolean fallBackToInstances() {
        return others
                || inRedis.keySet().stream().anyMatch(name -> areInRedis(name) && onFailure(name) == OnFailure.LOCAL);
    }

    /**
     * Refuses limits that a script of Redis cannot count with, or an instance not with its share of them, and names that would
     * say where in a cluster a key is.
     */
    void check(ConfiguredPolicies policies) {
        for (ConfiguredPolicy policy : policies.all()) {
            String name = policy.policy().name();
            if (areInRedis(name)) {
                if (name.indexOf('{') >= 0) { // or all keys of the policy may be on one master
                    throw new InvalidRateLimitException(
                            "ratelimit.policies." + name, "cannot be in Redis: its name must be without braces");
                }
                policy.variants().forEach(this::check);
            }
        }
    }

    private void check(Policy policy) {
        try {
            RedisRateLimiter.requireFitting(policy, instances);
        } catch (IllegalArgumentException e) {
            throw new InvalidRateLimitException(
                    "ratelimit.policies." + policy.name(), "cannot be in Redis: " + e.getMessage());
        }
    }
}
