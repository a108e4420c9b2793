package dev.ratelimit.spring;

import dev.ratelimit.Decision;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts what comes of requests and calls, by policy and outcome, and the tokens they cost, since the start. Thread-safe.
 *
 * <p>It knows the policies of application.yml and no others, so that no client can make it grow; and it never throws, so
 * that counting decides nothing.
 *
 * <pre>{@code
 * long denied = counts.count("api", Outcome.DENIED);
 * long used = counts.charged("llm") - counts.refunded("llm");
 * }</pre>
 */
public final class RateLimitCounts {
    private final Map<String, PolicyCounts> counts = new HashMap<>(); // never changed but for the numbers

    /**
     * Creates the counts, all of them 0.
     *
     * @param policies of which there are counts
     * @hidden
     */
    public RateLimitCounts(ConfiguredPolicies policies) {
        for (ConfiguredPolicy each : policies.all()) {
            counts.put(each.policy().name(), new PolicyCounts());
        }
    }

    /** The numbers of one policy. */
    private static final class PolicyCounts {
        private final Map<Outcome, LongAdder> outcomes = new EnumMap<>(Outcome.class);
        private final LongAdder charged = new LongAdder();
        private final LongAdder refunded = new LongAdder();
        private final DeniedKeys denied = new DeniedKeys();

        PolicyCounts() {
            for (Outcome outcome : Outcome.values()) {
                outcomes.put(outcome, new LongAdder());
            }
        }

        LongAdder of(Outcome outcome) {
            return Objects.requireNonNull(outcomes.get(outcome)); // there is one of each
        }
    }

    /**
     * Counts one; does nothing for a policy that is not of application.yml, as are limits in place of annotations.
     *
     * @param policy the policy's name
     * @param outcome what came of it
     * @hidden
     */
    public void add(String policy, Outcome outcome) {
        PolicyCounts of = counts.get(policy);
        if (of != null) {
            of.of(outcome).increment();
        }
    }

    /**
     * {@return the keys that a policy denied most, as many as it knows; none if there is no such policy}
     *
     * @param policy the policy's name
     * @hidden
     */
    public List<DeniedKey> topDenied(String policy) {
        PolicyCounts of = counts.get(policy);
        return of == null ? List.of() : of.denied.top();
    }

    /**
     * {@return how many there were}
     *
     * @param policy the policy's name
     * @param outcome what came of them
     * @throws IllegalArgumentException if there is no such policy in application.yml
     */
    public long count(String policy, Outcome outcome) {
        return find(policy).of(outcome).sum();
    }

    /**
     * {@return how many tokens were charged}
     *
     * @param policy the policy's name
     * @throws IllegalArgumentException if there is no such policy in application.yml
     */
    public long charged(String policy) {
        return find(policy).charged.sum();
    }

    /**
     * {@return how many tokens were given back that had been charged before}
     *
     * @param policy the policy's name
     * @throws IllegalArgumentException if there is no such policy in application.yml
     */
    public long refunded(String policy) {
        return find(policy).refunded.sum();
    }

    /** Counts a decision on {@code key} that charged {@code tokens}, or none as another policy denied. */
    void add(String policy, Outcome outcome, String key, Decision decision, long tokens) {
        PolicyCounts of = counts.get(policy);
        if (of == null) {
            return;
        }
        of.of(outcome).increment();
        if (tokens > 0) {
            of.charged.add(tokens);
            if (isNearLimit(decision)) {
                of.of(Outcome.NEAR_LIMIT).increment();
            }
        }
        if (!decision.allowed()) {
            of.denied.add(key);
        }
    }

    private static boolean isNearLimit(Decision decision) {
        return decision.remaining() <= (decision.limit().capacity() - 1) / 5;
    }

    /** Counts {@code more} tokens that were charged; or given back, as many as that is below 0. */
    void correct(String policy, long more) {
        PolicyCounts of = counts.get(policy);
        if (of != null && more > 0) {
            of.charged.add(more);
        } else if (of != null) {
            of.refunded.add(-more);
        }
    }

    private PolicyCounts find(String policy) {
        PolicyCounts of = counts.get(policy);
        if (of == null) {
            throw new IllegalArgumentException("no policy is named \"" + policy + "\"; there are: " + counts.keySet());
        }
        return of;
    }
}
