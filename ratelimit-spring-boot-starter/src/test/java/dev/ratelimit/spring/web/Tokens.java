package dev.ratelimit.spring.web;

import dev.ratelimit.Decision;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import org.springframework.context.ApplicationContext;
import org.springframework.mock.web.MockHttpServletRequest;

/** Looks into the buckets of a running application. */
final class Tokens {
    private Tokens() {}

    /** Returns how many tokens are gone from the bucket of a policy of one limit, whose key is global. */
    static long spent(ApplicationContext context, String name) {
        RequestRule rule = context.getBean(RequestRules.class).rules().stream()
                .filter(each -> each.policy().policy().name().equals(name))
                .findFirst()
                .orElseThrow();
        Policy policy = rule.policy().policy();
        String key = rule.key().of(new MockHttpServletRequest());
        Decision one = context.getBean(RateLimiter.class).peek(policy, key, 1);
        long left = one.allowed() ? one.remaining() + 1 : 0;
        return policy.limits().get(0).capacity() - left;
    }
}
