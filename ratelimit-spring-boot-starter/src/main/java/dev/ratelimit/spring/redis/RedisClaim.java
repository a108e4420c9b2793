package dev.ratelimit.spring.redis;

import dev.ratelimit.Claim;

/**
 * A claim on a bucket in Redis. Immutable.
 *
 * @param hash of the claim's key
 * @param key in Redis
 */
record RedisClaim(Claim claim, RedisPolicy policy, String hash, String key) {

    RedisClaim(Claim claim, RedisPolicy policy, String hash, RedisKeys keys) {
        this(claim, policy, hash, keys.key(claim.policy().name(), hash));
    }

    long tokens() {
        return claim.tokens();
    }
}
