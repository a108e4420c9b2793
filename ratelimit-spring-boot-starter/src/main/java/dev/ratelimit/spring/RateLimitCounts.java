package dev.ratelimit.spring;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/**
 * Counts what comes of requests and calls, by policy and outcome, since the start. Thread-safe.
 *
 * <p>It knows the policies of application.yml and no others, so that no client can make it grow; and it never throws, so
 * that counting decides nothing.
 */
public final class RateLimitCounts {
    private final Map<String, LongAdder[]> counts = new LinkedHashMap<>(); // by ordinal; never changed

    /** Creates the counts of those policies, all of them 0. */
    public RateLimitCounts(ConfiguredPolicies policies) {
        policies.all().forEach(each -> counts.put(each.policy().name(), adders()));
    }

    private static LongAdder[] adders() {
        return Stream.of(Outcome.values()).map(outcome -> new LongAdder()).toArray(LongAdder[]::new);
    }

    /** Counts one; does nothing for a policy that is not of application.yml, as the limits in place of annotations. */
    public void add(String policy, Outcome outcome) {
        LongAdder[] adders = counts.get(policy);
        if (adders != null) {
            adders[outcome.ordinal()].increment();
        }
    }

    /** Returns how many there were: 0 for a policy that is not of application.yml. */
    public long count(String policy, Outcome outcome) {
        LongAdder[] adders = counts.get(policy);
        return adders == null ? 0 : adders[outcome.ordinal()].sum();
    }
}
