package dev.ratelimit;

import java.util.Objects;

/**
 * Who asks for how many tokens of which policy. Immutable.
 *
 * <pre>{@code
 * Policy perUser = Policy.of("user", Limit.parse("10/1s"));
 * Policy perTenant = Policy.of("tenant", Limit.parse("100/1s"));
 * List<Decision> both = limiter.tryConsume(List.of(new Claim(perUser, "alice", 1), new Claim(perTenant, "acme", 1)));
 * }</pre>
 *
 * @param policy under which limits
 * @param key whose bucket; any string, the empty one too
 * @param tokens how many, at least 1
 */
public record Claim(Policy policy, String key, long tokens) {

    /**
     * Checks the parts.
     *
     * @param policy under which limits
     * @param key whose bucket
     * @param tokens at least 1
     * @throws IllegalArgumentException if {@code tokens} is below 1
     */
    public Claim {
        Objects.requireNonNull(policy, "policy");
        Objects.requireNonNull(key, "key");
        Gcra.requirePositive("tokens", tokens);
    }
}
