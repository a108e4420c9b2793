package dev.ratelimit.spring.web;

import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.PlanResolver;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds out, for {@code ratelimit.policies.<name>.plans}, which one a request is under. Immutable.
 *
 * @hidden
 */
public final class RequestPlans {
    private final Map<String, PlanResolver> resolvers;

    /** Creates it; {@code resolvers} are the application's own, by bean name, of which plans need exactly one. */
    public RequestPlans(Map<String, PlanResolver> resolvers) {
        this.resolvers = Map.copyOf(resolvers);
    }

    /**
     * Returns what tells the plan of a request under {@code policy}, if it has plans.
     *
     * @throws InvalidRateLimitException if it has plans, and there is not one bean to tell them apart
     */
    public RequestPlan of(ConfiguredPolicy policy, String property) {
        if (policy.plans().isEmpty()) {
            return (same, request) -> same.policy();
        }
        if (resolvers.size() != 1) {
            throw new InvalidRateLimitException(
                    property,
                    "needs one PlanResolver bean, but there are: "
                            + (resolvers.isEmpty() ? "none" : String.join(", ", resolvers.keySet())));
        }
        PlanResolver resolver = resolvers.values().iterator().next();
        return (current, request) -> {
            Policy known = known(current, resolver, request);
            return known == null ? current.policy() : known;
        };
    }

    /** A resolver that throws knows of no plan. */
    private static @Nullable Policy known(ConfiguredPolicy policy, PlanResolver resolver, HttpServletRequest request) {
        try {
            return policy.plan(resolver.plan(request));
        } catch (RuntimeException e) {
            DescribedRequest.noteFailure(request, "the PlanResolver", e);
            return null;
        }
    }
}
