package dev.ratelimit;

import java.util.Objects;

/**
 * Who asks for how many tokens of which policy. Immutable.
 *
 * @param key whose bucket; any string, the empty one too
 * @param tokens how many, at least 1
 */
public record Claim(Policy policy, String key, long tokens) {

    public Claim {
        Objects.requireNonNull(policy, "policy");
        Objects.requireNonNull(key, "key");
        Gcra.requirePositive("tokens", tokens);
    }
}
