package dev.ratelimit.spring;

import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * Counts what comes of requests and calls, by policy and outcome, since the start. Thread-safe.
 *
 * <p>It knows the policies of application.yml and no others, so that no client can make it grow; and it never throws, so
 * that counting decides nothing.
 */
public final class RateLimitCounts {
    private final Map<String, Map<Outcome, LongAdder>> counts = new HashMap<>(); // never changed but for the numbers
    private final Map<String, DeniedKeys> denied = new HashMap<>(); // never changed but for what they know

    /** Creates the counts of those policies, all of them 0. */
    public RateLimitCounts(ConfiguredPolicies policies) {
        for (ConfiguredPolicy each : policies.all()) {
            counts.put(each.policy().name(), adders());
            denied.put(each.policy().name(), new DeniedKeys());
        }
    }

    private static Map<Outcome, LongAdder> adders() {
        Map<Outcome, LongAdder> adders = new EnumMap<>(Outcome.class);
        for (Outcome outcome : Outcome.values()) {
            adders.put(outcome, new LongAdder());
        }
        return adders;
    }

    /** Counts one; does nothing for a policy that is not of application.yml, as are limits in place of annotations. */
    public void add(String policy, Outcome outcome) {
        LongAdder adder = adder(policy, outcome);
        if (adder != null) {
            adder.increment();
        }
    }

    /** Notes whom a policy denied, be it that it only looks on; does nothing for one that is not of application.yml. */
    void denied(String policy, String key) {
        DeniedKeys keys = denied.get(policy);
        if (keys != null) {
            keys.add(key);
        }
    }

    /** Returns the keys that the policy of that name denied most, as many as it knows; none if there is no such policy. */
    public List<DeniedKey> topDenied(String policy) {
        DeniedKeys keys = denied.get(policy);
        return keys == null ? List.of() : keys.top();
    }

    /**
     * Returns how many there were.
     *
     * @throws IllegalArgumentException if there is no such policy in application.yml
     */
    public long count(String policy, Outcome outcome) {
        LongAdder adder = adder(policy, outcome);
        if (adder == null) {
            throw new IllegalArgumentException("no policy is named \"" + policy + "\"; there are: " + counts.keySet());
        }
        return adder.sum();
    }

    private @Nullable LongAdder adder(String policy, Outcome outcome) {
        Map<Outcome, LongAdder> adders = counts.get(policy);
        return adders == null ? null : adders.get(outcome);
    }
}
