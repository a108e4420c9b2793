package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.ManualClock;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.CallContexts;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.RateLimitedAdvisor;
import dev.ratelimit.spring.web.ClientAddress;
import dev.ratelimit.spring.web.ForwardedHeader;
import dev.ratelimit.spring.web.ProblemResponseWriter;
import dev.ratelimit.spring.web.RateLimitAnswer;
import dev.ratelimit.spring.web.RateLimitExceptionResolver;
import dev.ratelimit.spring.web.RateLimitFields;
import dev.ratelimit.spring.web.RateLimitFilter;
import dev.ratelimit.spring.web.RateLimitOutcome;
import dev.ratelimit.spring.web.RateLimitResponseWriter;
import dev.ratelimit.spring.web.RequestCallContexts;
import dev.ratelimit.spring.web.RequestKeys;
import dev.ratelimit.spring.web.RequestPlans;
import dev.ratelimit.spring.web.RequestRules;
import dev.ratelimit.spring.web.RequestSkips;
import jakarta.servlet.ServletException;
import java.util.ArrayList;
import java.util.EventListener;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.RegistrationBean;
import org.springframework.boot.web.servlet.ServletContextInitializer;
import org.springframework.context.ApplicationContext;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockServletContext;
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
            assertThat(context).hasSingleBean(RateLimitExceptionResolver.class);
            assertThat(context).hasSingleBean(RequestCallContexts.class);
            assertThat(context).hasSingleBean(ProblemResponseWriter.class);
        });
    }

    @Test
    void putsAFilterWhereAPolicyNeedsOneAndNowhereElse() {
        assertThat(phases("ratelimit.policies.code.limits=5/1m")).isEmpty();
        assertThat(phases("ratelimit.policies.a.limits=5/1m", "ratelimit.policies.a.paths=/**"))
                .containsExactly(-110);
        assertThat(phases(
                        "ratelimit.policies.a.limits=5/1m",
                        "ratelimit.policies.a.paths=/**",
                        "ratelimit.policies.a.key=principal"))
                .containsExactly(-90);
        assertThat(phases(
                        "ratelimit.filter.order-before-security=-1000",
                        "ratelimit.filter.order-after-security=1000",
                        "ratelimit.policies.a.limits=5/1m",
                        "ratelimit.policies.a.paths=/**",
                        "ratelimit.policies.a.key=tenant",
                        "ratelimit.policies.b.limits=5/1m",
                        "ratelimit.policies.b.paths=/**",
                        "ratelimit.policies.b.key=global"))
                .containsExactly(-1000, 1000);
    }

    private List<Integer> phases(String... properties) {
        List<Integer> orders = new ArrayList<>();
        web.withPropertyValues(properties)
                .withBean("tenant", KeyResolver.class, () -> request -> "acme")
                .withBean("region", KeyResolver.class, () -> request -> "eu")
                .run(context -> context.getBeansOfType(RegistrationBean.class).values().stream()
                        .filter(each -> each instanceof FilterRegistrationBean && each.isEnabled())
                        .forEach(each -> orders.add(each.getOrder())));
        return orders;
    }

    @Test
    void listensForOutcomesWhereAPolicyDependsOnThem() {
        web.run(context -> assertThat(listeners(context)).isEmpty());
        web.withPropertyValues(
                        "ratelimit.policies.a.limits=5/1m",
                        "ratelimit.policies.a.paths=/**",
                        "ratelimit.policies.a.charge-on=401")
                .run(context -> assertThat(listeners(context)).hasExactlyElementsOfTypes(RateLimitOutcome.class));
    }

    private static List<EventListener> listeners(ApplicationContext context) throws ServletException {
        List<EventListener> listeners = new ArrayList<>();
        context.getBean("rateLimitOutcome", ServletContextInitializer.class).onStartup(new MockServletContext() {
            @Override
            public <T extends EventListener> void addListener(T listener) {
                listeners.add(listener);
            }
        });
        return listeners;
    }

    @Test
    void leavesTheWebOutWhereThereIsNone() {
        plain.run(context -> {
            assertThat(context).hasSingleBean(RateLimiter.class).hasSingleBean(RateLimitedAdvisor.class);
            assertThat(context).doesNotHaveBean(FilterRegistrationBean.class).doesNotHaveBean(CallContexts.class);
        });
        web.withClassLoader(new FilteredClassLoader(DispatcherServlet.class))
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(RateLimiter.class)
                        .doesNotHaveBean(FilterRegistrationBean.class));
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
                        .doesNotHaveBean(FilterRegistrationBean.class)
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
        FilterRegistrationBean<RateLimitFilter> own = new FilterRegistrationBean<>();
        web.withBean("rateLimitFilterBeforeSecurity", FilterRegistrationBean.class, () -> own)
                .run(context -> assertThat(context.getBeansOfType(RegistrationBean.class))
                        .containsEntry("rateLimitFilterBeforeSecurity", own)
                        .containsKey("rateLimitFilterAfterSecurity"));
    }

    @Test
    void backsOffToWhateverElseTheApplicationBrings() {
        RequestRules rules = new RequestRules(List.of());
        RateLimitAnswer answer = new RateLimitAnswer(rules, RateLimitFields.NONE, new ProblemResponseWriter());
        ConfiguredPolicies policies = new ConfiguredPolicies(List.of());
        RateLimitCounts counts = new RateLimitCounts(policies);
        PolicyLimiter limiter = new PolicyLimiter(LocalRateLimiter.builder().build(), policies, counts);
        ClientAddress client = new ClientAddress(List.of(), ForwardedHeader.X_FORWARDED_FOR, 56);
        web.withBean(CallContexts.class, () -> CallContexts.NONE)
                .withBean(ConfiguredPolicies.class, () -> policies)
                .withBean(RateLimitCounts.class, () -> counts)
                .withBean(PolicyLimiter.class, () -> limiter)
                .withBean("ownPlans", RequestPlans.class, () -> new RequestPlans(Map.of()))
                .withBean("ownSkips", RequestSkips.class, () -> new RequestSkips(Map.of(), client))
                .withBean(RequestRules.class, () -> rules)
                .withBean(RateLimitAnswer.class, () -> answer)
                .withBean("ownKeys", RequestKeys.class, () -> new RequestKeys(Map.of(), client, null))
                .withBean(ClientAddress.class, () -> client)
                .withBean("ownFilter", RateLimitFilter.class, () -> new RateLimitFilter(rules, limiter, answer))
                .withBean("ownResolver", RateLimitExceptionResolver.class, () -> new RateLimitExceptionResolver(answer))
                .run(context -> {
                    assertThat(context).hasSingleBean(CallContexts.class).doesNotHaveBean(RequestCallContexts.class);
                    assertThat(context).hasSingleBean(ConfiguredPolicies.class);
                    assertThat(context.getBean(RateLimitCounts.class)).isSameAs(counts);
                    assertThat(context.getBean(PolicyLimiter.class)).isSameAs(limiter);
                    assertThat(context).getBeanNames(RequestPlans.class).containsExactly("ownPlans");
                    assertThat(context).getBeanNames(RequestSkips.class).containsExactly("ownSkips");
                    assertThat(context.getBean(RequestRules.class)).isSameAs(rules);
                    assertThat(context.getBean(RateLimitAnswer.class)).isSameAs(answer);
                    assertThat(context.getBean(ClientAddress.class)).isSameAs(client);
                    assertThat(context).getBeanNames(RequestKeys.class).containsExactly("ownKeys");
                    assertThat(context).doesNotHaveBean(FilterRegistrationBean.class);
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
