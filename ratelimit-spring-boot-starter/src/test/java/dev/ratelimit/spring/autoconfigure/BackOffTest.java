package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.ManualClock;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.CallContext;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.RateLimitedAdvisor;
import dev.ratelimit.spring.web.ClientAddress;
import dev.ratelimit.spring.web.ForwardedHeader;
import dev.ratelimit.spring.web.ProblemResponseWriter;
import dev.ratelimit.spring.web.RateLimitAnswer;
import dev.ratelimit.spring.web.RateLimitExceptionResolver;
import dev.ratelimit.spring.web.RateLimitFilter;
import dev.ratelimit.spring.web.RateLimitResponseWriter;
import dev.ratelimit.spring.web.RequestCallContext;
import dev.ratelimit.spring.web.RequestKeys;
import dev.ratelimit.spring.web.RequestRules;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.web.servlet.DispatcherServlet;

class BackOffTest {
    private static final AutoConfigurations OURS =
            AutoConfigurations.of(RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class);

    private final WebApplicationContextRunner web = new WebApplicationContextRunner().withConfiguration(OURS);
    private final ApplicationContextRunner plain = new ApplicationContextRunner().withConfiguration(OURS);

    @Test
    void setsEverythingUpInAWebApplication() {
        web.run(context -> {
            assertThat(context.getBean(NanoClock.class)).isSameAs(NanoClock.SYSTEM);
            assertThat(context).hasSingleBean(LocalRateLimiter.class);
            assertThat(context).hasSingleBean(ConfiguredPolicies.class);
            assertThat(context).hasSingleBean(RateLimitFilter.class);
            assertThat(context).hasSingleBean(RateLimitExceptionResolver.class);
            assertThat(context).hasSingleBean(RequestCallContext.class);
            assertThat(context).hasSingleBean(ProblemResponseWriter.class);
            assertThat(context.getBean(FilterRegistrationBean.class).getOrder()).isEqualTo(-90);
        });
    }

    @Test
    void leavesTheWebOutWhereThereIsNone() {
        plain.run(context -> {
            assertThat(context).hasSingleBean(RateLimiter.class).hasSingleBean(RateLimitedAdvisor.class);
            assertThat(context).doesNotHaveBean(RateLimitFilter.class).doesNotHaveBean(CallContext.class);
        });
        web.withClassLoader(new FilteredClassLoader(DispatcherServlet.class))
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(RateLimiter.class)
                        .doesNotHaveBean(RateLimitFilter.class));
    }

    @Test
    void needsNeitherTomcatNorJettyNorServlets() {
        web.withClassLoader(new FilteredClassLoader(
                        "org.apache.catalina", "org.eclipse.jetty", "org.springframework.boot.tomcat"))
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(ClientAddress.class));
        plain.withClassLoader(new FilteredClassLoader("jakarta.servlet"))
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(RateLimiter.class));
    }

    @Test
    void switchesTheDoorsOffAndKeepsTheLimiterForCode() {
        web.withPropertyValues("ratelimit.enabled=false")
                .run(context -> assertThat(context)
                        .hasSingleBean(RateLimiter.class)
                        .hasSingleBean(ConfiguredPolicies.class)
                        .doesNotHaveBean(RateLimitFilter.class)
                        .doesNotHaveBean(RateLimitedAdvisor.class));
    }

    @Test
    void backsOffToTheClockOfTheApplication() {
        ManualClock clock = new ManualClock(42);
        web.withBean(NanoClock.class, () -> clock).run(context -> {
            assertThat(context).hasSingleBean(NanoClock.class);
            assertThat(context.getBean(NanoClock.class)).isSameAs(clock);
        });
    }

    @Test
    void backsOffToTheLimiterOfTheApplication() {
        RateLimiter own = LocalRateLimiter.builder().build();
        web.withBean(RateLimiter.class, () -> own)
                .run(context -> assertThat(context.getBean(RateLimiter.class)).isSameAs(own));
    }

    @Test
    void backsOffToTheOnlyKeyResolverOfTheApplication() {
        web.withPropertyValues("ratelimit.policies.api.limits=5/1m", "ratelimit.policies.api.paths=/**")
                .withBean("tenant", KeyResolver.class, () -> request -> "acme")
                .run(context -> assertThat(keyOf(context.getBean(RequestRules.class)))
                        .isEqualTo(Keys.of("resolver", "tenant", "acme")));
    }

    @Test
    void keysByTheAddressWhereThereAreSeveralKeyResolversToChooseFrom() {
        web.withPropertyValues("ratelimit.policies.api.limits=5/1m", "ratelimit.policies.api.paths=/**")
                .withBean("tenant", KeyResolver.class, () -> request -> "acme")
                .withBean("region", KeyResolver.class, () -> request -> "eu")
                .run(context ->
                        assertThat(keyOf(context.getBean(RequestRules.class))).isEqualTo(Keys.of("ip", "127.0.0.1")));
    }

    private static String keyOf(RequestRules rules) {
        return rules.rules().get(0).key().of(new MockHttpServletRequest());
    }

    @Test
    void backsOffToTheAnswerOfTheApplication() {
        RateLimitResponseWriter own = (request, response, violations) -> response.setStatus(503);
        web.withBean(RateLimitResponseWriter.class, () -> own)
                .run(context -> assertThat(context.getBean(RateLimitResponseWriter.class))
                        .isSameAs(own));
    }

    @Test
    void backsOffToTheRegistrationOfTheApplication() {
        web.withBean("rateLimitFilterRegistration", FilterRegistrationBean.class, () -> {
                    FilterRegistrationBean<RateLimitFilter> own = new FilterRegistrationBean<>();
                    own.setOrder(7);
                    return own;
                })
                .run(context -> assertThat(
                                context.getBean(FilterRegistrationBean.class).getOrder())
                        .isEqualTo(7));
    }

    @Test
    void backsOffToWhateverElseTheApplicationBrings() {
        RequestRules rules = new RequestRules(List.of());
        RateLimitAnswer answer = new RateLimitAnswer(new ProblemResponseWriter());
        ClientAddress client = new ClientAddress(List.of(), ForwardedHeader.X_FORWARDED_FOR, 56);
        web.withBean(CallContext.class, () -> CallContext.NONE)
                .withBean(ConfiguredPolicies.class, () -> new ConfiguredPolicies(List.of()))
                .withBean(RequestRules.class, () -> rules)
                .withBean(RateLimitAnswer.class, () -> answer)
                .withBean("ownKeys", RequestKeys.class, () -> new RequestKeys(Map.of(), client, null))
                .withBean(ClientAddress.class, () -> client)
                .withBean(
                        "ownFilter",
                        RateLimitFilter.class,
                        () -> new RateLimitFilter(
                                rules, LocalRateLimiter.builder().build(), answer))
                .withBean("ownResolver", RateLimitExceptionResolver.class, () -> new RateLimitExceptionResolver(answer))
                .run(context -> {
                    assertThat(context).hasSingleBean(CallContext.class).doesNotHaveBean(RequestCallContext.class);
                    assertThat(context).hasSingleBean(ConfiguredPolicies.class);
                    assertThat(context.getBean(RequestRules.class)).isSameAs(rules);
                    assertThat(context.getBean(RateLimitAnswer.class)).isSameAs(answer);
                    assertThat(context.getBean(ClientAddress.class)).isSameAs(client);
                    assertThat(context).getBeanNames(RequestKeys.class).containsExactly("ownKeys");
                    assertThat(context).getBeanNames(RateLimitFilter.class).containsExactly("ownFilter");
                    assertThat(context)
                            .getBeanNames(RateLimitExceptionResolver.class)
                            .containsExactly("ownResolver");
                });
    }

    @Test
    void takesThePoliciesOfTheApplicationThroughEveryDoor() {
        ConfiguredPolicies own =
                new ConfiguredPolicies(List.of(new ConfiguredPolicy(Policy.of("api", Limit.parse("7/1m")), 2)));
        web.withPropertyValues("ratelimit.policies.api.limits=5/1m")
                .withBean(ConfiguredPolicies.class, () -> own)
                .run(context -> assertThat(context.getBean(RequestRules.class)
                                .rules()
                                .get(0)
                                .policy())
                        .isSameAs(own.find("api")));
    }
}
