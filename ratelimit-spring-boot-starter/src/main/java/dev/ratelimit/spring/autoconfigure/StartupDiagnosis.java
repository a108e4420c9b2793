package dev.ratelimit.spring.autoconfigure;

import static dev.ratelimit.spring.autoconfigure.RateLimitProperties.property;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.RateLimitedAdvisor;
import dev.ratelimit.spring.web.RateLimitFilter;
import dev.ratelimit.spring.web.RequestRule;
import dev.ratelimit.spring.web.RequestRules;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.RegistrationBean;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerMapping;
import org.springframework.web.servlet.mvc.method.RequestMappingInfo;
import org.springframework.web.servlet.mvc.method.RequestMappingInfoHandlerMapping;
import org.springframework.web.util.pattern.PathPattern;

/**
 * Looks at start-up for what is allowed and most likely not meant, and logs each finding once. It says nothing where it is
 * not certain, for a warning that is wrong teaches people to overlook those that are right.
 */
final class StartupDiagnosis implements SmartInitializingSingleton {
    private static final Log LOG = LogFactory.getLog(StartupDiagnosis.class);
    private static final String SECURITY_FILTER = "springSecurityFilterChain";
    private static final String SECURITY_REGISTRATION = "securityFilterChainRegistration";

    /** Where Spring Security's own filters answer, unless told otherwise. */
    private static final Set<String> SECURITY_PATHS =
            Set.of("login", "logout", "oauth2", "saml2", "webauthn", "ott", "connect", "userinfo", ".well-known");

    private final RequestRules rules;
    private final RateLimitProperties properties;
    private final ListableBeanFactory beans;

    StartupDiagnosis(RequestRules rules, RateLimitProperties properties, ListableBeanFactory beans) {
        this.rules = rules;
        this.properties = properties;
        this.beans = beans;
    }

    @Override
    public void afterSingletonsInstantiated() {
        findings().forEach(LOG::warn);
    }

    private List<Finding> findings() {
        List<HandlerMapping> mappings =
                beans.getBeanProvider(HandlerMapping.class).stream().toList();
        List<Finding> findings = new ArrayList<>();
        for (RequestRule rule : rules.rules()) {
            addIdleLimits(rule.policy().policy(), findings);
        }
        addUnmappedPaths(new HandlerPaths(mappings), findings);
        addPrincipalsBeforeSecurity(findings);
        addDoubleCharges(mappings, findings);
        return findings;
    }

    private static void addIdleLimits(Policy policy, List<Finding> findings) {
        List<Limit> limits = policy.limits();
        for (int i = 0; i < limits.size(); i++) {
            for (int j = 0; j < limits.size(); j++) {
                boolean redundant = isNoStricter(limits.get(i), limits.get(j));
                if (i != j && redundant && (i > j || !isNoStricter(limits.get(j), limits.get(i)))) {
                    findings.add(new Finding(
                            "RATELIMIT-W04",
                            property(policy.name(), "limits") + " has " + limits.get(i) + ", which never denies what "
                                    + limits.get(j) + " beside it allows",
                            "remove it, or make it stricter in its rate or its burst"));
                    break;
                }
            }
        }
    }

    /** Whether {@code limit} allows whatever {@code other} does: its rate and its capacity are no smaller. */
    private static boolean isNoStricter(Limit limit, Limit other) {
        return limit.capacity() >= other.capacity()
                && product(limit.refillTokens(), other).compareTo(product(other.refillTokens(), limit)) >= 0;
    }

    private static BigInteger product(long tokens, Limit limit) {
        return BigInteger.valueOf(tokens)
                .multiply(BigInteger.valueOf(limit.refillPeriod().toNanos()));
    }

    private void addUnmappedPaths(HandlerPaths handlers, List<Finding> findings) {
        for (RequestRule rule : rules.rules()) {
            for (PathPattern path : rule.paths().included()) {
                if (handlers.certainlyLack(path) && !mayBeOfSecurity(path.getPatternString())) {
                    findings.add(new Finding(
                            "RATELIMIT-W03",
                            property(rule.policy().policy().name(), "paths") + " has " + path
                                    + ", where no controller, function or resource of this application answers",
                            "correct the spelling: it is matched within the application, without context path and"
                                    + " servlet path"));
                }
            }
        }
    }

    /** Security's filters answer without a mapping, and where they take a login can be any one path. */
    private boolean mayBeOfSecurity(String pattern) {
        return beans.containsBean(SECURITY_FILTER)
                && (pattern.indexOf('*') < 0 || SECURITY_PATHS.contains(pattern.split("/", 3)[1]));
    }

    private void addPrincipalsBeforeSecurity(List<Finding> findings) {
        boolean secured = beans.containsBean(SECURITY_FILTER);
        for (RequestRule rule : rules.rules()) {
            String name = rule.policy().policy().name();
            if (!rule.hasPaths() || !isKeyedByPrincipal(name)) {
                continue;
            }
            if (!secured) {
                findings.add(new Finding(
                        "RATELIMIT-W05",
                        property(name, "key") + " is principal, but there is no Spring Security filter chain, so that"
                                + " unless the container logs users in each is known by the address",
                        "add Spring Security, or choose another key"));
            } else if (filterOrder() <= securityOrder()) {
                findings.add(new Finding(
                        "RATELIMIT-W05",
                        property(name, "key") + " is principal, but the filter's order " + filterOrder()
                                + " is in front of Spring Security's " + securityOrder()
                                + ", where nobody is logged in yet",
                        "set ratelimit.filter.order-after-security to more than that"));
            }
        }
    }

    private boolean isKeyedByPrincipal(String policy) {
        RateLimitProperties.PolicyProperties configured = properties.policies().get(policy);
        return configured != null
                && configured.key() != null
                && configured.key().contains("principal");
    }

    private int filterOrder() {
        return beans.getBeanProvider(FilterRegistrationBean.class).stream()
                .filter(registration -> registration.getFilter() instanceof RateLimitFilter)
                .mapToInt(RegistrationBean::getOrder)
                .max()
                .orElse(Integer.MAX_VALUE);
    }

    private int securityOrder() {
        return beans.containsBean(SECURITY_REGISTRATION)
                        && beans.getBean(SECURITY_REGISTRATION) instanceof RegistrationBean registration
                ? registration.getOrder()
                : Integer.MIN_VALUE;
    }

    private void addDoubleCharges(List<HandlerMapping> mappings, List<Finding> findings) {
        RateLimitedAdvisor advisor =
                beans.getBeanProvider(RateLimitedAdvisor.class).getIfAvailable();
        if (advisor == null) {
            return;
        }
        for (HandlerMapping mapping : mappings) {
            if (mapping instanceof RequestMappingInfoHandlerMapping methods) {
                methods.getHandlerMethods()
                        .forEach((info, handler) ->
                                doubleCharges(info, handler, advisor).forEach(findings::add));
            }
        }
    }

    private Stream<Finding> doubleCharges(RequestMappingInfo info, HandlerMethod handler, RateLimitedAdvisor advisor) {
        List<String> policies = advisor.policiesOf(handler.getMethod(), handler.getBeanType());
        return rules.rules().stream()
                .filter(rule -> policies.contains(rule.policy().policy().name()) && covers(rule, info))
                .map(rule -> new Finding(
                        "RATELIMIT-W06",
                        "@RateLimited on " + handler.getShortLogMessage() + " names the policy "
                                + rule.policy().policy().name()
                                + ", whose paths cover it too: a request is charged twice",
                        "remove the annotation, or the path"));
    }

    private static boolean covers(RequestRule rule, RequestMappingInfo info) {
        boolean methods = rule.methods().isEmpty()
                || info.getMethodsCondition().getMethods().isEmpty()
                || info.getMethodsCondition().getMethods().stream()
                        .anyMatch(method -> rule.methods().contains(method.name()));
        return methods
                && info.getPathPatternsCondition() != null
                && info.getPathPatternsCondition().getPatterns().stream()
                        .anyMatch(handler -> rule.paths().included().stream()
                                .anyMatch(path -> HandlerPaths.certainlyMeet(path, handler)));
    }
}
