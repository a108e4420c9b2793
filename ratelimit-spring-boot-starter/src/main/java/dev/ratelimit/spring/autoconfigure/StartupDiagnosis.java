package dev.ratelimit.spring.autoconfigure;

import static dev.ratelimit.spring.autoconfigure.RateLimitProperties.property;

import dev.ratelimit.Limit;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyMode;
import dev.ratelimit.spring.RateLimitedAdvisor;
import dev.ratelimit.spring.Strictness;
import dev.ratelimit.spring.web.RequestKeys;
import dev.ratelimit.spring.web.RequestRule;
import dev.ratelimit.spring.web.RequestRules;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletRegistration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.web.servlet.RegistrationBean;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerMapping;
import org.springframework.web.servlet.mvc.method.RequestMappingInfo;
import org.springframework.web.servlet.mvc.method.RequestMappingInfoHandlerMapping;
import org.springframework.web.util.pattern.PathPattern;

/**
 * Looks at start-up for what is allowed and most likely not meant, and logs each finding once, and after that what is limited.
 * It warns of nothing where it is not certain, for a warning that is wrong teaches people to overlook those that are right.
 */
final class StartupDiagnosis implements SmartInitializingSingleton {
    private static final Log LOG = LogFactory.getLog(StartupDiagnosis.class);
    static final String SECURITY_FILTER = "springSecurityFilterChain";
    private static final String SECURITY_REGISTRATION = "securityFilterChainRegistration";

    /** Where Spring Security's own filters answer, unless told otherwise. */
    private static final Set<String> SECURITY_PATHS =
            Set.of("login", "logout", "oauth2", "saml2", "webauthn", "ott", "connect", "userinfo", ".well-known");

    private static final Set<String> ANSWERS_OF_SECURITY = Set.of("401", "403");

    private final RequestRules rules;
    private final RateLimitProperties properties;
    private final ListableBeanFactory beans;
    private final RequestKeys keys;

    StartupDiagnosis(RequestRules rules, RateLimitProperties properties, ListableBeanFactory beans, RequestKeys keys) {
        this.rules = rules;
        this.properties = properties;
        this.beans = beans;
        this.keys = keys;
    }

    @Override
    public void afterSingletonsInstantiated() {
        for (Finding finding : findings()) {
            LOG.warn(finding);
        }
        LOG.info(new PolicySummary(rules, properties, keys.partsByDefault()));
    }

    private List<Finding> findings() {
        if (rules.rules().isEmpty()) {
            return List.of(); // and mappings that are lazy stay so
        }
        List<HandlerMapping> mappings =
                beans.getBeanProvider(HandlerMapping.class).stream().toList();
        List<Finding> findings = new ArrayList<>();
        for (RequestRule rule : rules.rules()) {
            addIdleLimits(rule.policy(), findings);
        }
        addUnmappedPaths(new HandlerPaths(mappings, servlets()), findings);
        addPrincipalsBeforeSecurity(findings);
        addStatusesOfSecurity(findings);
        addDoubleCharges(mappings, findings);
        return findings;
    }

    private Collection<? extends ServletRegistration> servlets() {
        ServletContext context = beans.getBeanProvider(ServletContext.class).getIfAvailable();
        return context == null ? List.of() : context.getServletRegistrations().values();
    }

    private static void addIdleLimits(ConfiguredPolicy policy, List<Finding> findings) {
        String name = policy.policy().name();
        if (policy.plans().isEmpty()) {
            addIdleLimits(property(name, "limits"), policy.policy().limits(), findings);
        } else {
            policy.plans()
                    .forEach((plan, limits) ->
                            addIdleLimits(property(name, "plans." + plan), limits.limits(), findings));
        }
    }

    private static void addIdleLimits(String property, List<Limit> limits, List<Finding> findings) {
        for (int i = 0; i < limits.size(); i++) {
            Limit binding = stricterThan(i, limits);
            if (binding != null) {
                findings.add(new Finding(
                        "RATELIMIT-W04",
                        property + " has " + limits.get(i) + ", which never denies what " + binding
                                + " beside it allows",
                        "remove it, or make it stricter in its rate or its burst"));
            }
        }
    }

    /** Of two that are as strict as each other, the first one binds. */
    private static @Nullable Limit stricterThan(int index, List<Limit> limits) {
        Limit limit = limits.get(index);
        for (int i = 0; i < limits.size(); i++) {
            Limit other = limits.get(i);
            if (i != index
                    && Strictness.isNoStricter(limit, other)
                    && (i < index || !Strictness.isNoStricter(other, limit))) {
                return other;
            }
        }
        return null;
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
        int order = properties.filter().orderAfterSecurity();
        for (RequestRule rule : rules.rules()) {
            String name = rule.policy().policy().name();
            if (!rule.isApplied() || !isKeyedByPrincipal(name)) {
                continue;
            }
            if (!secured) {
                findings.add(new Finding(
                        "RATELIMIT-W05",
                        property(name, "key")
                                + " names the principal, but there is no Spring Security filter chain, so that"
                                + " unless the container logs users in each is known by the address",
                        "add Spring Security, or choose another key"));
            } else if (order <= securityOrder()) {
                findings.add(new Finding(
                        "RATELIMIT-W05",
                        property(name, "key") + " names the principal, but ratelimit.filter.order-after-security, "
                                + order
                                + ", is in front of Spring Security at " + securityOrder()
                                + ", where nobody is logged in yet",
                        "set it to more than that"));
            }
        }
    }

    /** What Security answers never comes as far as a policy behind it. */
    private void addStatusesOfSecurity(List<Finding> findings) {
        for (RequestRule rule : rules.rules()) {
            String name = rule.policy().policy().name();
            RateLimitProperties.PolicyProperties configured =
                    properties.policies().get(name);
            if (rule.isApplied()
                    && rule.needsUser()
                    && configured != null
                    && !configured.chargeOn().isEmpty()
                    && ANSWERS_OF_SECURITY.containsAll(configured.chargeOn())
                    && beans.containsBean(SECURITY_FILTER)) {
                findings.add(new Finding(
                        "RATELIMIT-W08",
                        property(name, "charge-on") + " has " + configured.chargeOn()
                                + ", which Spring Security answers, but the policy stands behind it, as its key or its"
                                + " plan may need the user",
                        "set " + property(name, "key") + " to ip"));
            }
        }
    }

    private boolean isKeyedByPrincipal(String policy) {
        RateLimitProperties.PolicyProperties configured = properties.policies().get(policy);
        return configured != null
                && configured.key() != null
                && configured.key().contains("principal");
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
        if (rule.policy().mode() == PolicyMode.OFF) {
            return false;
        }
        boolean methods = rule.methods().isEmpty()
                || info.getMethodsCondition().getMethods().isEmpty()
                || info.getMethodsCondition().getMethods().stream()
                        .anyMatch(method -> rule.methods().contains(method.name()));
        return methods
                && info.getPathPatternsCondition() != null
                && info.getPathPatternsCondition().getPatterns().stream()
                        .anyMatch(handler -> HandlerPaths.certainlyMeet(rule.paths(), handler));
    }
}
