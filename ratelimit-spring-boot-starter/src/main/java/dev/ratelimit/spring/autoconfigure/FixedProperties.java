package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.PolicyProperties;
import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Refuses changes of what is read at start-up only, which would come to nothing while requests run. */
final class FixedProperties {
    private static final Set<String> CHANGEABLE = Set.of("limits", "plans", "mode", "penalty");
    private static final String PROBLEM =
            "takes a restart; of a policy, limits, plans, penalty and mode can change while requests run";

    private FixedProperties() {}

    static void refuseChange(RateLimitProperties now, RateLimitProperties next) {
        refuseChange(now, next, Set.of("policies"), "ratelimit");
        Map<String, PolicyProperties> policies = now.policies();
        List<String> names = List.copyOf(next.policies().keySet());
        if (!names.equals(List.copyOf(policies.keySet()))) {
            throw new InvalidRateLimitException(
                    "ratelimit.policies", "has " + names + " in place of " + policies.keySet() + ", which " + PROBLEM);
        }
        policies.forEach((name, policy) -> refuseChange(
                name, policy, Objects.requireNonNull(next.policies().get(name))));
    }

    private static void refuseChange(String name, PolicyProperties now, PolicyProperties next) {
        String policy = "ratelimit.policies." + name;
        refuseChange(now, next, CHANGEABLE, policy);
        if (now.plans().isEmpty() != next.plans().isEmpty()) { // which are decided behind Spring Security
            throw new InvalidRateLimitException(policy + ".plans", "has come or gone, which " + PROBLEM);
        }
        if ((now.penalty() == null) != (next.penalty() == null)) {
            throw new InvalidRateLimitException(policy + ".penalty", "has come or gone, which " + PROBLEM);
        }
    }

    private static void refuseChange(Record now, Record next, Set<String> but, String place) {
        for (RecordComponent each : now.getClass().getRecordComponents()) {
            if (!but.contains(each.getName()) && !Objects.equals(value(each, now), value(each, next))) {
                throw new InvalidRateLimitException(
                        place + '.' + UnknownProperties.nameOf(each), "has changed, which " + PROBLEM);
            }
        }
    }

    private static @Nullable Object value(RecordComponent component, Record of) {
        try {
            return component.getAccessor().invoke(of);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("records of this package can be read in it", e);
        }
    }
}
