package dev.ratelimit.spring.redis;

import dev.ratelimit.Claim;

/**
 * A claim on a bucket in Redis. Immutable.
 *
 * @param key in Redis
 */
record RedisClaim(Claim claim, RedisPolicy policy, String key) {

    long tokens() {
        return claim.tokens();
    }
}
