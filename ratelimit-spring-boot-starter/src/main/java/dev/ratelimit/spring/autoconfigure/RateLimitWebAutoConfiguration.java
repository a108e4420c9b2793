package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.CallContexts;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.RequestSkip;
import dev.ratelimit.spring.TokenCost;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.PolicyProperties;
import dev.ratelimit.spring.web.ClientAddress;
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
import dev.ratelimit.spring.web.RequestRule;
import dev.ratelimit.spring.web.RequestRules;
import dev.ratelimit.spring.web.RequestSkips;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.ServletContextInitializer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.util.pattern.PathPatternParser;

/**
 * Sets up the filter and the answer in a servlet application.
 *
 * <pre>{@code
 * @WebMvcTest
 * @ImportAutoConfiguration({RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class})
 * class GreetingControllerTest {}
 * }</pre>
 */
@AutoConfiguration(
        after = RateLimitAutoConfiguration.class,
        afterName = "org.springframework.boot.webmvc.autoconfigure.WebMvcAutoConfiguration")
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnClass({DispatcherServlet.class, OncePerRequestFilter.class})
@ConditionalOnBooleanProperty(name = "ratelimit.enabled", matchIfMissing = true)
@Import({JettyClientAddress.class, TomcatClientAddress.class})
public final class RateLimitWebAutoConfiguration {

    RateLimitWebAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    ClientAddress rateLimitClientAddress(RateLimitProperties properties, Environment environment) {
        ForwardedHeadersWarning.logFor(properties, environment);
        return properties.clientAddress().clientAddress();
    }

    @Bean
    @ConditionalOnMissingBean
    RequestKeys rateLimitKeys(
            Map<String, KeyResolver> resolvers, ClientAddress client, RateLimitProperties properties) {
        return new RequestKeys(resolvers, client, properties.keySecret());
    }

    @Bean
    @ConditionalOnMissingBean
    RequestPlans rateLimitPlans(Map<String, PlanResolver> resolvers) {
        return new RequestPlans(resolvers);
    }

    @Bean
    @ConditionalOnMissingBean
    RequestSkips rateLimitSkips(Map<String, RequestSkip> skips, ClientAddress client) {
        return new RequestSkips(skips, client);
    }

    /** Patterns are matched as those of the handlers are, by the same parser. */
    @Bean
    @ConditionalOnMissingBean
    RequestRules rateLimitRules(
            RateLimitProperties properties,
            ConfiguredPolicies policies,
            RequestKeys keys,
            RequestPlans plans,
            RequestSkips skips,
            Map<String, TokenCost> costs,
            @Qualifier("mvcPatternParser") ObjectProvider<PathPatternParser> parser,
            @Value("${management.endpoints.web.base-path:/actuator}") String actuator) {
        RuleReader reader = new RuleReader(
                keys, plans, skips, costs, parser.getIfAvailable(() -> PathPatternParser.defaultInstance), actuator);
        List<RequestRule> rules = new ArrayList<>();
        for (Map.Entry<String, PolicyProperties> policy : properties.policies().entrySet()) {
            ConfiguredPolicy configured = policies.find(policy.getKey());
            if (configured == null) {
                throw new InvalidRateLimitException(
                        "ratelimit.policies." + policy.getKey(), "is not among those of the ConfiguredPolicies bean");
            }
            rules.add(reader.read(configured, policy.getValue()));
        }
        return new RequestRules(rules);
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimitResponseWriter rateLimitResponseWriter() {
        return new ProblemResponseWriter();
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimitFields rateLimitFields(RateLimitProperties properties, ConfiguredPolicies policies) {
        return switch (properties.headers()) {
            case IETF -> RateLimitFields.ietf(policies);
            case X_RATELIMIT -> RateLimitFields.xRateLimit();
            case NONE -> RateLimitFields.NONE;
        };
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimitAnswer rateLimitAnswer(RequestRules rules, RateLimitFields fields, RateLimitResponseWriter writer) {
        return new RateLimitAnswer(rules, fields, writer);
    }

    @Bean
    @ConditionalOnMissingBean
    CallContexts rateLimitCallContexts(
            RequestRules rules, RequestKeys keys, PolicyLimiter limiter, RateLimitAnswer answer) {
        return new RequestCallContexts(rules, keys, limiter, answer);
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimitExceptionResolver rateLimitExceptionResolver(RateLimitAnswer answer) {
        return new RateLimitExceptionResolver(answer);
    }

    /** In front of Spring Security, so that what that answers by itself is charged, and guessed passwords are limited. */
    @Bean
    @ConditionalOnMissingBean(value = RateLimitFilter.class, name = "rateLimitFilterBeforeSecurity")
    FilterRegistrationBean<RateLimitFilter> rateLimitFilterBeforeSecurity(
            RateLimitProperties properties, RequestRules rules, PolicyLimiter limiter, RateLimitAnswer answer) {
        RequestRules own = rules.beforeSecurity();
        boolean isLast = rules.afterSecurity().rules().isEmpty();
        return registration(
                new RateLimitFilter(own, limiter, answer, isLast),
                own,
                properties.filter().orderBeforeSecurity());
    }

    /** Behind Spring Security, so that the user is known. */
    @Bean
    @ConditionalOnMissingBean(value = RateLimitFilter.class, name = "rateLimitFilterAfterSecurity")
    FilterRegistrationBean<RateLimitFilter> rateLimitFilterAfterSecurity(
            RateLimitProperties properties, RequestRules rules, PolicyLimiter limiter, RateLimitAnswer answer) {
        RequestRules own = rules.afterSecurity();
        int order = properties.filter().orderAfterSecurity();
        boolean isLast = properties.filter().orderBeforeSecurity() < order;
        return registration(new RateLimitFilter(own, limiter, answer, isLast), own, order);
    }

    private static FilterRegistrationBean<RateLimitFilter> registration(
            RateLimitFilter filter, RequestRules rules, int order) {
        FilterRegistrationBean<RateLimitFilter> registration = new FilterRegistrationBean<>(filter);
        registration.setOrder(order);
        registration.setEnabled(!rules.rules().isEmpty());
        return registration;
    }

    /** No registration bean of Boot's, which would say at each start that it was not registered where nothing is given back. */
    @Bean
    @ConditionalOnMissingBean(name = "rateLimitOutcome")
    ServletContextInitializer rateLimitOutcome(RequestRules rules) {
        return context -> {
            if (rules.giveBack()) {
                context.addListener(new RateLimitOutcome());
            }
        };
    }

    @Bean
    @ConditionalOnMissingBean
    StartupDiagnosis rateLimitStartupDiagnosis(
            RequestRules rules, RateLimitProperties properties, ListableBeanFactory beans, RequestKeys keys) {
        return new StartupDiagnosis(rules, properties, beans, keys);
    }
}
