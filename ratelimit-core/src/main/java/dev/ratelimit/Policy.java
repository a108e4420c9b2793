package dev.ratelimit;

import java.io.Serializable;
import java.util.List;
import java.util.Objects;

/**
 * A named list of limits that hold together: a request passes under all of them or is charged to none. Immutable.
 *
 * <p>The name tells whose budget it is: a {@link RateLimiter} keeps the keys of one name apart from those of another, and
 * two policies of one name share their buckets. Policies are few and known to the application; it is the keys that come
 * from outside.
 *
 * <pre>{@code
 * Policy api = Policy.of("api", Limit.parse("100/1m"), Limit.parse("5000/1d"));
 * Decision decision = limiter.tryConsume(api, "alice", 1);
 * }</pre>
 *
 * @param name not blank
 * @param limits at least one
 */
public record Policy(String name, List<Limit> limits) implements Serializable {

    /**
     * Checks the parts.
     *
     * @param name not blank
     * @param limits at least one
     * @throws IllegalArgumentException if the name is blank, or there is no limit
     */
    public Policy {
        Objects.requireNonNull(name, "name");
        limits = List.copyOf(limits);
        if (name.isBlank()) {
            throw new IllegalArgumentException("a policy needs a name that is not blank: \"" + name + '"');
        }
        if (limits.isEmpty()) {
            throw new IllegalArgumentException("policy " + name + " needs at least one limit");
        }
    }

    /**
     * {@return the policy of that name under those limits}
     *
     * @param name not blank
     * @param limits at least one
     * @throws IllegalArgumentException if the name is blank, or there is no limit
     */
    public static Policy of(String name, Limit... limits) {
        return new Policy(name, List.of(limits));
    }
}
