package dev.ratelimit.spring;

import dev.ratelimit.Policy;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The policies of application.yml, by name; inject it where code asks the {@link dev.ratelimit.RateLimiter} itself.
 * Thread-safe.
 *
 * <p>Which policies there are never changes, but what they say may, while requests run: all that has changed is seen at once.
 *
 * <pre>{@code
 * Decision decision = limiter.tryConsume(policies.get("weather-station"), "us", 1);
 * }</pre>
 */
public final class ConfiguredPolicies {
    private volatile Map<String, ConfiguredPolicy> policies; // never changed, but replaced

    /**
     * Creates the registry.
     *
     * @param policies each of which has a name of its own
     * @hidden
     */
    public ConfiguredPolicies(List<ConfiguredPolicy> policies) {
        this.policies = byName(policies);
    }

    private static Map<String, ConfiguredPolicy> byName(Collection<ConfiguredPolicy> policies) {
        Map<String, ConfiguredPolicy> byName = new LinkedHashMap<>();
        for (ConfiguredPolicy each : policies) {
            byName.put(each.policy().name(), each);
        }
        return Collections.unmodifiableMap(byName);
    }

    /**
     * {@return the policy of that name; of one with plans, that of clients whose plan is not known}
     *
     * @param name as in {@code ratelimit.policies}
     * @throws IllegalArgumentException if there is none; it lists those there are
     */
    public Policy get(String name) {
        ConfiguredPolicy found = policies.get(name);
        if (found == null) {
            throw new IllegalArgumentException("no policy is named \"" + name + "\"; there are: " + names());
        }
        return found.policy();
    }

    /**
     * {@return the policy of that name and what it costs, or null if there is none}
     *
     * @param name as in {@code ratelimit.policies}
     * @hidden
     */
    public @Nullable ConfiguredPolicy find(String name) {
        return policies.get(name);
    }

    /**
     * {@return all of them, in their order}
     *
     * @hidden
     */
    public Collection<ConfiguredPolicy> all() {
        return policies.values();
    }

    /**
     * {@return all of them by name, as they are now: the same object until one of them changes}
     *
     * @hidden
     */
    public Map<String, ConfiguredPolicy> now() {
        return policies;
    }

    /**
     * Puts {@code changed} in force in place of the policies of the same names.
     *
     * @param changed all policies
     * @throws IllegalArgumentException if they are not the same names
     * @hidden
     */
    public void replace(ConfiguredPolicies changed) {
        Map<String, ConfiguredPolicy> next = changed.policies;
        if (!List.copyOf(next.keySet()).equals(List.copyOf(policies.keySet()))) {
            throw new IllegalArgumentException("other policies than " + names() + ": " + changed.names());
        }
        policies = next;
    }

    /**
     * {@return what {@code maker} makes of the policies as they are; it is made anew once they have changed}
     *
     * @param <T> what is made
     * @param maker is given the policies by name
     * @hidden
     */
    public <T> View<T> view(Function<Map<String, ConfiguredPolicy>, T> maker) {
        return new View<>(maker);
    }

    String names() {
        Map<String, ConfiguredPolicy> now = policies;
        return now.isEmpty() ? "none" : String.join(", ", now.keySet());
    }

    /**
     * What is made of the policies. Thread-safe.
     *
     * @param <T> what that is
     * @hidden
     */
    public final class View<T> {
        private final Function<Map<String, ConfiguredPolicy>, T> maker;
        private Made<T> latest; // without a lock: whoever sees an older one makes it anew

        private record Made<T>(Map<String, ConfiguredPolicy> of, T value) {}

        private View(Function<Map<String, ConfiguredPolicy>, T> maker) {
            this.maker = maker;
            this.latest = made(policies);
        }

        private Made<T> made(Map<String, ConfiguredPolicy> of) {
            return new Made<>(of, maker.apply(of));
        }

        /** {@return what is made of the policies as they are} */
        public T get() {
            return of(policies);
        }

        /**
         * {@return what is made of policies as they are or were; it is kept for those that are in force}
         *
         * @param snapshot what {@link #now} has returned
         */
        @SuppressWarnings("ReferenceEquality") // a snapshot is itself, and no other
        public T of(Map<String, ConfiguredPolicy> snapshot) {
            Made<T> made = latest;
            if (made.of != snapshot) {
                made = made(snapshot);
                latest = snapshot == policies ? made : latest;
            }
            return made.value;
        }
    }
}
