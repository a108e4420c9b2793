package dev.ratelimit.spring;

import dev.ratelimit.Policy;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The policies of application.yml, by name. Immutable; inject it where code asks the
 * {@link dev.ratelimit.RateLimiter} itself.
 */
public final class ConfiguredPolicies {
    private final Map<String, ConfiguredPolicy> policies = new LinkedHashMap<>();

    /** Creates the registry of those policies, each of which has a name of its own. */
    public ConfiguredPolicies(List<ConfiguredPolicy> policies) {
        policies.forEach(each -> this.policies.put(each.policy().name(), each));
    }

    /**
     * Returns the policy of that name; of one with plans, that of clients whose plan is not known.
     *
     * @throws IllegalArgumentException if there is none; it lists those there are
     */
    public Policy get(String name) {
        ConfiguredPolicy found = policies.get(name);
        if (found == null) {
            throw new IllegalArgumentException("no policy is named \"" + name + "\"; there are: " + names());
        }
        return found.policy();
    }

    /** Returns the policy of that name and what it costs, or null if there is none. */
    public @Nullable ConfiguredPolicy find(String name) {
        return policies.get(name);
    }

    /** Returns all of them, in their order. */
    public Collection<ConfiguredPolicy> all() {
        return Collections.unmodifiableCollection(policies.values());
    }

    String names() {
        return policies.isEmpty() ? "none" : String.join(", ", policies.keySet());
    }
}
