package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.spring.RateLimited;
import dev.ratelimit.spring.actuate.RateLimitReporter;
import dev.ratelimit.spring.web.RateLimitFilter;
import dev.ratelimit.spring.web.RequestRules;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.test.context.assertj.AssertableWebApplicationContext;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.web.servlet.handler.BeanNameUrlHandlerMapping;

/** Nothing is created that no policy needs, whatever else there is on the class path. */
class CreatedBeansTest {
    private static final String[] ONE_POLICY = {"ratelimit.policies.api.limits=5/1m", "ratelimit.policies.api.paths=/**"
    };

    /** What is there in any case: to find annotations, to be told of policies, and to answer for code that throws. */
    private static final List<String> ALWAYS = List.of(
            "rateLimitAnswer",
            "rateLimitCallContexts",
            "rateLimitClientAddress",
            "rateLimitClock",
            "rateLimitCounts",
            "rateLimitEnvironmentChanges",
            "rateLimitExceptionResolver",
            "rateLimitFields",
            "rateLimitFilterAfterSecurity",
            "rateLimitFilterBeforeSecurity",
            "rateLimitJettyCustomizer",
            "rateLimitKeys",
            "rateLimitLivePolicies",
            "rateLimitMeters",
            "rateLimitOutcome",
            "rateLimitPlans",
            "rateLimitPolicies",
            "rateLimitPolicyLimiter",
            "rateLimitReporter",
            "rateLimitResponseWriter",
            "rateLimitRules",
            "rateLimitSkips",
            "rateLimitStartupDiagnosis",
            "rateLimitTomcatCustomizer",
            "rateLimitUnknownProperties",
            "rateLimitedAdvisor",
            "rateLimitedSelfCalls",
            "rateLimitedVerifier",
            "rateLimiter");

    private final WebApplicationContextRunner web = new WebApplicationContextRunner()
            .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
            .withBean(Plain.class)
            .withConfiguration(AutoConfigurations.of(
                    DataRedisAutoConfiguration.class,
                    RateLimitActuatorAutoConfiguration.class,
                    RateLimitAutoConfiguration.class,
                    RateLimitHealthAutoConfiguration.class,
                    RateLimitMetricsAutoConfiguration.class,
                    RateLimitRedisAutoConfiguration.class,
                    RateLimitWebAutoConfiguration.class));

    static class Plain {}

    static class Limited {
        @RateLimited(limit = "5/1m")
        public void limited() {}
    }

    private static List<String> ours(AssertableWebApplicationContext context) {
        return Stream.of(context.getBeanDefinitionNames())
                .filter(name -> name.toLowerCase(Locale.ROOT).startsWith("ratelimit") && name.indexOf('.') < 0)
                .toList();
    }

    private static boolean isCreated(AssertableWebApplicationContext context, String name) {
        ConfigurableListableBeanFactory beans =
                (ConfigurableListableBeanFactory) context.getAutowireCapableBeanFactory();
        return beans.containsSingleton(name);
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(each -> each.getName().startsWith("ratelimit-"))
                .count();
    }

    @Test
    void hasNoMoreBeansForALocalPolicyThanForNone() {
        web.run(context -> assertThat(ours(context)).containsExactlyInAnyOrderElementsOf(ALWAYS));
        web.withPropertyValues(ONE_POLICY)
                .run(context -> assertThat(ours(context)).containsExactlyInAnyOrderElementsOf(ALWAYS));
    }

    @Test
    void runsNoThreadAndPutsNothingInFrontWithoutAPolicy() {
        long before = threads();
        web.run(context -> {
            assertThat(context.getBean(RequestRules.class).rules()).isEmpty();
            assertThat(context.getBeansOfType(FilterRegistrationBean.class).values())
                    .noneMatch(each -> each.getFilter() instanceof RateLimitFilter && each.isEnabled());
            assertThat(context.getBean(MeterRegistry.class).getMeters())
                    .noneMatch(each -> each.getId().getName().startsWith("ratelimit."));
            assertThat(context.getBean("rateLimitReporter", RateLimitReporter.class)
                            .isRunning())
                    .isFalse();
            assertThat(threads()).isEqualTo(before);
        });
    }

    @Test
    void leavesMappingsLazyWithoutAPolicy() {
        WebApplicationContextRunner lazy = web.withBean(
                "lazy",
                BeanNameUrlHandlerMapping.class,
                BeanNameUrlHandlerMapping::new,
                bean -> bean.setLazyInit(true));
        lazy.run(context -> assertThat(isCreated(context, "lazy")).isFalse());
        lazy.withPropertyValues(ONE_POLICY)
                .run(context -> assertThat(isCreated(context, "lazy")).isTrue());
    }

    @Test
    void leavesRedisAloneWhereNoPolicyIsThere() {
        web.withPropertyValues(ONE_POLICY).run(context -> {
            assertThat(context).hasBean("redisConnectionFactory");
            assertThat(context.getBean("rateLimiter")).isInstanceOf(LocalRateLimiter.class);
            assertThat(context).doesNotHaveBean("ratelimitHealthIndicator");
        });
    }

    @Test
    void putsNoProxyInFrontOfABeanWithoutTheAnnotation() {
        web.withBean(Limited.class).run(context -> {
            assertThat(AopUtils.isAopProxy(context.getBean(Plain.class))).isFalse();
            assertThat(AopUtils.isAopProxy(context.getBean(Limited.class))).isTrue();
        });
    }
}
