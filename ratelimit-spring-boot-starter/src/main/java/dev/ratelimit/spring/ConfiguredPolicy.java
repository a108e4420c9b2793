package dev.ratelimit.spring;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A policy as {@code ratelimit.policies} describes it. Immutable.
 *
 * <p>Under plans, each of them is a {@link Policy} of the same name: so a key has one bucket, whatever plan its client has,
 * and keeps its tokens when that changes.
 *
 * @param policy the policy; under plans, with limits as strict as the strictest of them, or stricter
 * @param tokens what a request or a call costs unless it says otherwise; at least 1
 * @param plans the policy by plan, none if all clients have the same
 * @param penalty what comes of too many denials, if anything
 * @hidden
 */
public record ConfiguredPolicy(
        Policy policy,
        long tokens,
        PolicyMode mode,
        Map<String, Policy> plans,
        @Nullable Penalty penalty) {

    public ConfiguredPolicy {
        plans = Map.copyOf(plans);
    }

    /** Creates a policy that is the same for all and is enforced. */
    public ConfiguredPolicy(Policy policy, long tokens) {
        this(policy, tokens, PolicyMode.ENFORCE, Map.of(), null);
    }

    /** Returns the policy of the clients whose plan is not known: it denies whatever one of {@code plans} would. */
    public static Policy strictest(Collection<Policy> plans) {
        return new Policy(plans.iterator().next().name(), Strictness.strictest(plans));
    }

    /** Returns the policy under {@code plan}, or null if it has none of that name. */
    public @Nullable Policy plan(@Nullable String plan) {
        return plan == null ? null : plans.get(plan);
    }

    /** Whether {@code limits} are those of this policy for clients whose plan is not known. */
    @SuppressWarnings("ReferenceEquality") // a plan may well have the same limits
    public boolean isOfUnknownPlan(Policy limits) {
        return limits == policy && !plans.isEmpty();
    }

    /** Returns the limits as text, such as 100/1m; under plans, those of each. */
    public String limitsText() {
        return plans.isEmpty()
                ? text(policy)
                : new TreeMap<>(plans)
                        .entrySet().stream()
                                .map(plan -> plan.getKey() + ": " + text(plan.getValue()))
                                .collect(Collectors.joining("; "));
    }

    private static String text(Policy policy) {
        return policy.limits().stream().map(Limit::toString).collect(Collectors.joining(", "));
    }

    /** Returns the policy under all limits that it can have: the objects that decisions are made and told of with. */
    public Set<Policy> variants() {
        Set<Policy> variants = new LinkedHashSet<>(plans.values());
        variants.add(policy);
        if (penalty != null) {
            variants.add(penalty.told());
        }
        return variants;
    }
}
