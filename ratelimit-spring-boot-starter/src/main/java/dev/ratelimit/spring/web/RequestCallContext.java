package dev.ratelimit.spring.web;

import dev.ratelimit.Policy;
import dev.ratelimit.spring.CallContext;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.PolicyDecision;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.web.context.request.RequestContextHolder;
import org.springframework.web.context.request.ServletRequestAttributes;

/** The request that a call on this thread belongs to, if any. Thread-safe. */
public final class RequestCallContext implements CallContext {
    private final Map<String, RequestRule> rules;
    private final RequestKey byDefault;
    private final RateLimitAnswer answer;

    /** Creates the context of calls under those rules, and under limits in place. */
    public RequestCallContext(RequestRules rules, RequestKeys keys, RateLimitAnswer answer) {
        this.rules = rules.rules().stream()
                .collect(Collectors.toMap(rule -> rule.policy().policy().name(), rule -> rule));
        this.byDefault = keys.byDefault();
        this.answer = answer;
    }

    @Override
    public String key(String policy) {
        RequestRule rule = rules.get(policy);
        RequestKey key = rule == null ? byDefault : rule.key();
        ServletRequestAttributes current = current();
        if (current == null) {
            return key.equals(RequestKey.GLOBAL) ? Keys.GLOBAL : Keys.UNATTRIBUTED;
        }
        return key.of(current.getRequest());
    }

    @Override
    public Policy policy(ConfiguredPolicy policy) {
        RequestRule rule = rules.get(policy.policy().name());
        ServletRequestAttributes current = current();
        return rule == null || current == null ? policy.policy() : rule.plan().of(current.getRequest());
    }

    @Override
    public boolean skips(String policy) {
        RequestRule rule = rules.get(policy);
        ServletRequestAttributes current = current();
        return rule != null && current != null && rule.skip().skips(current.getRequest());
    }

    @Override
    public void decided(List<PolicyDecision> decisions) {
        ServletRequestAttributes current = current();
        if (current != null && current.getResponse() != null) {
            answer.decided(current.getRequest(), current.getResponse(), decisions);
        }
    }

    private static @Nullable ServletRequestAttributes current() {
        return RequestContextHolder.getRequestAttributes() instanceof ServletRequestAttributes current ? current : null;
    }
}
