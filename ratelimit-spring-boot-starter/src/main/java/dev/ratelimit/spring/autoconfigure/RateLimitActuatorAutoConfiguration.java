package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.PolicyChanger;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.actuate.PolicySettings;
import dev.ratelimit.spring.actuate.RateLimitEndpoint;
import dev.ratelimit.spring.actuate.UnknownFields;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.PolicyProperties;
import dev.ratelimit.spring.web.ClientAddress;
import dev.ratelimit.spring.web.RequestExplainer;
import dev.ratelimit.spring.web.RequestKeys;
import dev.ratelimit.spring.web.RequestRules;
import jakarta.servlet.ServletContext;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.web.annotation.WebEndpoint;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.context.annotation.Bean;

/**
 * Sets up the actuator's endpoint in a servlet application, if that has an actuator and exposes it.
 *
 * <pre>{@code
 * @SpringBootApplication(exclude = RateLimitActuatorAutoConfiguration.class)
 * class WithoutEndpoint {}
 * }</pre>
 */
@AutoConfiguration(after = RateLimitWebAutoConfiguration.class)
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnClass({WebEndpoint.class, ConditionalOnAvailableEndpoint.class})
@ConditionalOnBean({RequestRules.class, PolicyChanger.class})
public final class RateLimitActuatorAutoConfiguration {

    RateLimitActuatorAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnAvailableEndpoint(RateLimitEndpoint.class)
    RequestExplainer rateLimitExplainer(
            RequestRules rules,
            PolicyLimiter limiter,
            ClientAddress client,
            ServletContext context,
            ListableBeanFactory beans) {
        return new RequestExplainer(
                rules, limiter, client, context, beans.containsBean(StartupDiagnosis.SECURITY_FILTER));
    }

    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnAvailableEndpoint(RateLimitEndpoint.class)
    RateLimitEndpoint rateLimitEndpoint(
            RateLimitProperties properties,
            RequestRules rules,
            PolicyLimiter limiter,
            RateLimitCounts counts,
            RequestKeys keys,
            RequestExplainer explainer,
            PolicyChanger changer) {
        Map<String, PolicySettings> settings = new HashMap<>();
        properties.policies().forEach((name, policy) -> settings.put(name, settings(policy, properties, keys)));
        return new RateLimitEndpoint(
                rules,
                settings,
                limiter,
                counts,
                keys,
                explainer,
                changer,
                properties.actuator().showKeys());
    }

    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnAvailableEndpoint(RateLimitEndpoint.class)
    UnknownFields rateLimitUnknownFields() {
        return new UnknownFields();
    }

    private static PolicySettings settings(PolicyProperties policy, RateLimitProperties properties, RequestKeys keys) {
        boolean redis = properties.isInRedis(policy);
        return new PolicySettings(
                policy.key() == null ? keys.partsByDefault() : policy.key(),
                policy.tokens(),
                policy.chargeOn(),
                policy.skip(),
                redis ? "redis" : "local",
                !redis
                        ? ""
                        : policy.onFailure() == null
                                ? "local"
                                : policy.onFailure().name().toLowerCase(Locale.ROOT));
    }
}
