package dev.ratelimit.spring;

/**
 * Changes what policies of application.yml say, while requests run. Thread-safe.
 *
 * @hidden
 */
@FunctionalInterface
public interface PolicyChanger {

    /**
     * Changes the policy of that name, all of it or nothing. A key keeps the tokens it has, as far as they fit.
     *
     * @throws IllegalArgumentException if there is no such policy; it lists those there are
     * @throws InvalidRateLimitException as at start-up, or if that can't be changed while requests run
     */
    void change(String policy, PolicyChange change);
}
