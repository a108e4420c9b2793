package dev.ratelimit.spring.web;

import dev.ratelimit.Policy;
import dev.ratelimit.spring.CallContext;
import dev.ratelimit.spring.CallContexts;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.PolicyLimiter;
import jakarta.servlet.http.HttpServletRequest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.web.context.request.RequestContextHolder;
import org.springframework.web.context.request.ServletRequestAttributes;

/**
 * Finds the request that a call on this thread belongs to, if any. Thread-safe.
 *
 * @hidden
 */
public final class RequestCallContexts implements CallContexts {
    private final Map<String, RequestRule> rules = new HashMap<>(); // never changed
    private final RequestKey byDefault;
    private final PolicyLimiter limiter;
    private final RateLimitAnswer answer;

    /** Creates the contexts of calls under those rules, and under limits in place. */
    public RequestCallContexts(RequestRules rules, RequestKeys keys, PolicyLimiter limiter, RateLimitAnswer answer) {
        for (RequestRule rule : rules.rules()) {
            this.rules.put(rule.name(), rule);
        }
        this.byDefault = keys.byDefault();
        this.limiter = limiter;
        this.answer = answer;
    }

    @Override
    public CallContext current() {
        return RequestContextHolder.getRequestAttributes() instanceof ServletRequestAttributes current
                ? new RequestCall(current)
                : CallContext.NONE;
    }

    /** The request that a call belongs to. */
    private final class RequestCall implements CallContext {
        private final ServletRequestAttributes current;

        RequestCall(ServletRequestAttributes current) {
            this.current = current;
        }

        private HttpServletRequest request() {
            return current.getRequest();
        }

        private @Nullable RequestRule rule(String policy) {
            return rules.get(policy);
        }

        @Override
        public String key(String policy) {
            RequestRule rule = rule(policy);
            return rule == null ? byDefault.of(request()) : rule.key(request(), limiter);
        }

        @Override
        public Policy policy(ConfiguredPolicy policy) {
            RequestRule rule = rule(policy.policy().name());
            return rule == null ? policy.policy() : rule.limits(policy, request(), limiter);
        }

        @Override
        public boolean skips(String policy) {
            RequestRule rule = rule(policy);
            return rule != null && rule.skips(request(), limiter);
        }

        @Override
        public void decided(List<PolicyDecision> decisions) {
            if (current.getResponse() != null) {
                answer.decided(request(), current.getResponse(), decisions);
            }
        }
    }
}
