package dev.ratelimit.spring.actuate;

import dev.ratelimit.Decision;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.web.RateLimitAnswer;
import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationFilter;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.server.observation.ServerRequestObservationContext;

/**
 * Says of each request which policy decided on it, and how: {@code ratelimit.policy} and {@code ratelimit.outcome} of its
 * observation, and so of its span and its timer. Immutable.
 *
 * <p>It looks at what the filter and the methods on the request's way have decided when the request is over. Every request
 * has both values, be they "none", since some registries take no two meters of one name that differ in their tags. And both
 * are one of few: a policy that is not of application.yml is "other".
 *
 * @hidden
 */
public final class RateLimitObservationFilter implements ObservationFilter {
    private static final String POLICY = "ratelimit.policy";
    private static final String OUTCOME = "ratelimit.outcome";
    private static final KeyValue NO_POLICY = KeyValue.of(POLICY, "none");
    private static final KeyValue OTHER_POLICY = KeyValue.of(POLICY, "other");
    private static final KeyValue NO_OUTCOME = KeyValue.of(OUTCOME, "none");
    private static final KeyValue ALLOWED = KeyValue.of(OUTCOME, "allowed");
    private static final KeyValue DEGRADED = KeyValue.of(OUTCOME, "degraded");
    private static final KeyValue DENIED = KeyValue.of(OUTCOME, "denied");

    private final ConfiguredPolicies policies;

    /** Creates a filter that names those policies. */
    public RateLimitObservationFilter(ConfiguredPolicies policies) {
        this.policies = policies;
    }

    @Override
    public Observation.Context map(Observation.Context context) {
        if (context instanceof ServerRequestObservationContext server) {
            HttpServletRequest request = server.getCarrier();
            PolicyDecision decided = request == null ? null : deciding(RateLimitAnswer.decisionsOf(request));
            context.addLowCardinalityKeyValue(policy(decided));
            context.addLowCardinalityKeyValue(outcome(decided));
        }
        return context;
    }

    private KeyValue policy(@Nullable PolicyDecision decided) {
        if (decided == null) {
            return NO_POLICY;
        }
        String name = decided.policy().name();
        return policies.find(name) == null ? OTHER_POLICY : KeyValue.of(POLICY, name);
    }

    private static KeyValue outcome(@Nullable PolicyDecision decided) {
        if (decided == null) {
            return NO_OUTCOME;
        }
        if (decided.decision().unavailable()) {
            return DEGRADED;
        }
        return decided.decision().allowed() ? ALLOWED : DENIED;
    }

    /** Returns the denial with the longest wait, one that is known before others; or else the admission that leaves least. */
    private static @Nullable PolicyDecision deciding(List<PolicyDecision> decisions) {
        PolicyDecision deciding = null;
        for (PolicyDecision each : decisions) {
            if (deciding == null || decides(each.decision(), deciding.decision())) {
                deciding = each;
            }
        }
        return deciding;
    }

    private static boolean decides(Decision one, Decision other) {
        if (one.allowed() != other.allowed()) {
            return other.allowed();
        }
        if (one.unavailable() != other.unavailable()) {
            return other.unavailable();
        }
        return one.allowed() ? one.remaining() < other.remaining() : one.retryAfterNanos() > other.retryAfterNanos();
    }
}
