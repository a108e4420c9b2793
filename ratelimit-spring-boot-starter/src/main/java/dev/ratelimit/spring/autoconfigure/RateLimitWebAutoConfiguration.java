package dev.ratelimit.spring.autoconfigure;

import static dev.ratelimit.spring.autoconfigure.RateLimitProperties.property;

import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.CallContext;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.PolicyProperties;
import dev.ratelimit.spring.web.ClientAddress;
import dev.ratelimit.spring.web.ProblemResponseWriter;
import dev.ratelimit.spring.web.RateLimitAnswer;
import dev.ratelimit.spring.web.RateLimitExceptionResolver;
import dev.ratelimit.spring.web.RateLimitFilter;
import dev.ratelimit.spring.web.RateLimitResponseWriter;
import dev.ratelimit.spring.web.RequestCallContext;
import dev.ratelimit.spring.web.RequestKeys;
import dev.ratelimit.spring.web.RequestRule;
import dev.ratelimit.spring.web.RequestRules;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.Environment;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;
import org.springframework.web.util.pattern.PatternParseException;

/** Sets up the filter and the answer in a servlet application. */
@AutoConfiguration(
        after = RateLimitAutoConfiguration.class,
        afterName = "org.springframework.boot.webmvc.autoconfigure.WebMvcAutoConfiguration")
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnClass({DispatcherServlet.class, OncePerRequestFilter.class})
@ConditionalOnBooleanProperty(name = "ratelimit.enabled", matchIfMissing = true)
@Import({JettyClientAddress.class, TomcatClientAddress.class})
public final class RateLimitWebAutoConfiguration {
    /** Just behind Spring Security's filters, which stand at -100, so that the user is known. */
    private static final int FILTER_ORDER = -90;

    private static final Set<String> METHODS =
            Arrays.stream(RequestMethod.values()).map(Enum::name).collect(Collectors.toUnmodifiableSet());

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

    /** Patterns are matched as those of the handlers are, by the same parser. */
    @Bean
    @ConditionalOnMissingBean
    RequestRules rateLimitRules(
            RateLimitProperties properties,
            ConfiguredPolicies policies,
            RequestKeys keys,
            @Qualifier("mvcPatternParser") ObjectProvider<PathPatternParser> parser) {
        PathPatternParser patterns = parser.getIfAvailable(() -> PathPatternParser.defaultInstance);
        List<RequestRule> rules = new ArrayList<>();
        properties.policies().forEach((name, policy) -> {
            ConfiguredPolicy configured = policies.find(name);
            if (configured == null) {
                throw new InvalidRateLimitException(
                        "ratelimit.policies." + name, "is not among those of the ConfiguredPolicies bean");
            }
            rules.add(new RequestRule(
                    configured,
                    keys.of(policy.key(), property(name, "key")),
                    paths(name, policy, patterns),
                    methods(name, policy)));
        });
        return new RequestRules(rules);
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimitResponseWriter rateLimitResponseWriter() {
        return new ProblemResponseWriter();
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimitAnswer rateLimitAnswer(RateLimitResponseWriter writer) {
        return new RateLimitAnswer(writer);
    }

    @Bean
    @ConditionalOnMissingBean
    CallContext rateLimitCallContext(RequestRules rules, RequestKeys keys, RateLimitAnswer answer) {
        return new RequestCallContext(rules, keys, answer);
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimitExceptionResolver rateLimitExceptionResolver(RateLimitAnswer answer) {
        return new RateLimitExceptionResolver(answer);
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimitFilter rateLimitFilter(RequestRules rules, RateLimiter limiter, RateLimitAnswer answer) {
        return new RateLimitFilter(rules, limiter, answer);
    }

    @Bean
    @ConditionalOnMissingBean(name = "rateLimitFilterRegistration")
    FilterRegistrationBean<RateLimitFilter> rateLimitFilterRegistration(RateLimitFilter filter) {
        FilterRegistrationBean<RateLimitFilter> registration = new FilterRegistrationBean<>(filter);
        registration.setOrder(FILTER_ORDER);
        return registration;
    }

    private static List<PathPattern> paths(String name, PolicyProperties policy, PathPatternParser patterns) {
        return policy.paths().stream()
                .map(path -> pattern(path, property(name, "paths"), patterns))
                .toList();
    }

    private static PathPattern pattern(String path, String property, PathPatternParser patterns) {
        if (!path.startsWith("/")) {
            throw new InvalidRateLimitException(
                    property, "has \"" + path + "\", but a path pattern starts with a slash");
        }
        try {
            return patterns.parse(path);
        } catch (PatternParseException e) {
            throw new InvalidRateLimitException(
                    property, "has \"" + path + "\", which is no path pattern: " + e.getMessage());
        }
    }

    private static Set<String> methods(String name, PolicyProperties policy) {
        if (!policy.methods().isEmpty() && policy.paths().isEmpty()) {
            throw new InvalidRateLimitException(
                    property(name, "methods"), "means nothing without " + property(name, "paths"));
        }
        return policy.methods().stream()
                .map(method -> method(method, property(name, "methods")))
                .collect(Collectors.toUnmodifiableSet());
    }

    private static String method(String method, String property) {
        String upper = method.toUpperCase(Locale.ROOT);
        if (!METHODS.contains(upper)) {
            throw new InvalidRateLimitException(
                    property, "has \"" + method + "\", which is no HTTP method that Spring MVC serves");
        }
        return upper;
    }
}
