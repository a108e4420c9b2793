package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.autoconfigure.RateLimitAutoConfiguration;
import dev.ratelimit.spring.autoconfigure.RateLimitWebAutoConfiguration;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.ApplicationContext;
import org.springframework.mock.web.MockFilterChain;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

class UnattributedTest {
    private final WebApplicationContextRunner web = new WebApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class))
            .withPropertyValues(
                    "ratelimit.policies.api.limits=5/1h",
                    "ratelimit.policies.api.key=header:X-Api-Key",
                    "ratelimit.policies.api.paths=/**");

    private static int ask(ApplicationContext context, String address) throws Exception {
        MockHttpServletRequest request = new MockHttpServletRequest("GET", "/");
        request.setRemoteAddr(address);
        MockHttpServletResponse response = new MockHttpServletResponse();
        context.getBean("rateLimitFilterBeforeSecurity", FilterRegistrationBean.class)
                .getFilter()
                .doFilter(request, response, new MockFilterChain());
        return response.getStatus();
    }

    @Test
    void countsThoseOfWhomNothingIsKnownAndHoldsThemToOneBucket() {
        web.run(context -> {
            int allowed = 0;
            for (int i = 0; i < 1_000; i++) {
                allowed += ask(context, "unix") == 200 ? 1 : 0;
            }

            assertThat(allowed).isEqualTo(5);
            assertThat(context.getBean(RateLimitCounts.class).count("api", Outcome.UNATTRIBUTED))
                    .isEqualTo(1_000);
        });
    }

    @Test
    void countsNobodyWhoIsKnownByAnAddress() {
        web.run(context -> {
            ask(context, "203.0.113.7");

            assertThat(context.getBean(RateLimitCounts.class).count("api", Outcome.UNATTRIBUTED))
                    .isZero();
        });
    }
}
