package dev.ratelimit.spring.web;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletResponse;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Writes {@code RateLimit-Policy} and {@code RateLimit} as draft-ietf-httpapi-ratelimit-headers-11 has them. Thread-safe.
 *
 * <p>Each is a list of names with parameters: the quota q and the window w in seconds of a policy; the tokens r that are
 * left, and the seconds t in which no more than those can be used: until the next token flows in, or the denied request
 * could pass. All numbers are whole, of at most 15 digits.
 */
final class IetfFields implements RateLimitFields {
    private static final String POLICY = "RateLimit-Policy";
    private static final String STATE = "RateLimit";
    private static final int STATE_LENGTH = 48; // of a name and two numbers, mostly

    private final ConfiguredPolicies.View<Texts> texts;

    IetfFields(ConfiguredPolicies policies) {
        texts = policies.view(now -> Texts.of(now.values()));
    }

    /**
     * The texts of all policies.
     *
     * @param configured found by identity, as the policies of application.yml always are the same objects; never changed
     * @param others those of annotations and of code: few, as any policies are; and what a change is about to replace
     */
    private record Texts(IdentityHashMap<Policy, PolicyText> configured, Map<Policy, PolicyText> others) {

        static Texts of(Collection<ConfiguredPolicy> policies) {
            IdentityHashMap<Policy, PolicyText> configured = new IdentityHashMap<>();
            for (ConfiguredPolicy each : policies) {
                for (Policy variant : each.variants()) {
                    configured.put(variant, PolicyText.of(variant));
                }
            }
            return new Texts(configured, new ConcurrentHashMap<>());
        }

        PolicyText of(Policy policy) {
            PolicyText text = configured.get(policy);
            return text == null ? others.computeIfAbsent(policy, PolicyText::of) : text;
        }
    }

    @Override
    public String names() {
        return POLICY + ", " + STATE;
    }

    @Override
    public void write(HttpServletResponse response, List<PolicyDecision> decisions) {
        Texts all = texts.get();
        PolicyText first = all.of(decisions.get(0).policy());
        StringBuilder states = new StringBuilder(STATE_LENGTH * decisions.size());
        appendState(states, first, decisions.get(0).decision());
        if (decisions.size() == 1) {
            response.setHeader(POLICY, first.field());
        } else {
            StringBuilder policies = new StringBuilder(STATE_LENGTH * decisions.size()).append(first.field());
            for (int i = 1; i < decisions.size(); i++) {
                PolicyText text = all.of(decisions.get(i).policy());
                policies.append(", ").append(text.field());
                appendState(states, text, decisions.get(i).decision());
            }
            response.setHeader(POLICY, policies.toString());
        }
        if (!states.isEmpty()) {
            response.setHeader(STATE, states.toString());
        }
    }

    /** Says nothing of what is not known. */
    private static void appendState(StringBuilder states, PolicyText policy, Decision decision) {
        if (decision.unavailable()) {
            return;
        }
        LimitText limit = policy.of(decision.limit());
        long seconds = decision.allowed() || decision.never()
                ? Seconds.ceil(Math.min(decision.resetAfterNanos(), limit.tokenIntervalNanos()))
                : Seconds.retryAfter(decision);
        states.append(states.isEmpty() ? "" : ", ");
        states.append(limit.name()).append(";r=").append(Math.min(decision.remaining(), LimitText.MAX_INTEGER));
        states.append(";t=").append(seconds);
    }

    /** What never changes about a policy. */
    private record PolicyText(Policy policy, String field, List<LimitText> limits) {

        static PolicyText of(Policy policy) {
            List<LimitText> limits = LimitText.listOf(policy);
            StringBuilder field = new StringBuilder();
            for (LimitText limit : limits) {
                field.append(field.isEmpty() ? "" : ", ").append(limit.field());
            }
            return new PolicyText(policy, field.toString(), limits);
        }

        LimitText of(Limit limit) {
            for (int i = 0; i < limits.size(); i++) { // no iterator: this runs for every request
                if (limits.get(i).limit().equals(limit)) {
                    return limits.get(i);
                }
            }
            return LimitText.of(policy.name(), limit); // a limiter of the application's own may say what it likes
        }
    }
}
