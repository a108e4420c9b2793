package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.NanoClock;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.CallContexts;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.PolicyChanger;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.RateLimitedAdvisor;
import dev.ratelimit.spring.RateLimitedVerifier;
import dev.ratelimit.spring.actuate.RateLimitReporter;
import dev.ratelimit.spring.redis.RedisRateLimiter;
import org.springframework.aop.config.AopConfigUtils;
import org.springframework.aot.AotDetector;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.context.annotation.ImportRuntimeHints;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;

/**
 * Sets up the limiter, the policies and the {@link dev.ratelimit.spring.RateLimited} annotation.
 *
 * <pre>{@code
 * @AutoConfiguration(after = RateLimitAutoConfiguration.class)
 * class BillingAutoConfiguration {
 *     @Bean
 *     @ConditionalOnBean(ConfiguredPolicies.class)
 *     Policy invoices(ConfiguredPolicies policies) {
 *         return policies.get("invoices");
 *     }
 * }
 * }</pre>
 */
@AutoConfiguration
@EnableConfigurationProperties(RateLimitProperties.class)
@Import({LimitProperties.TextConverter.class, HandlerCharges.class})
@ImportRuntimeHints(RateLimitHints.class)
public final class RateLimitAutoConfiguration {

    RateLimitAutoConfiguration() {}

    /**
     * Reads all once before anything is bound, or Boot would be the one to refuse: in other words, and with the value of what
     * is unknown, which may be a secret.
     */
    @Bean
    static BeanFactoryPostProcessor rateLimitUnknownProperties(ConfigurableEnvironment environment) {
        return beans -> {
            PropertiesReader.read(environment);
            if (AotDetector.useGeneratedArtifacts()) {
                refuseOtherThanBuilt(environment, beans);
            }
        };
    }

    /** What is built ahead of time has the filter and the annotation or not, whatever is said later. */
    private static void refuseOtherThanBuilt(Environment environment, ListableBeanFactory beans) {
        boolean built = beans.getBeanNamesForType(AnnotationConfiguration.class, true, false).length > 0;
        boolean enabled = environment.getProperty("ratelimit.enabled", Boolean.class, true);
        if (enabled != built) {
            throw new InvalidRateLimitException(
                    "ratelimit.enabled",
                    "is " + enabled + ", but was " + built
                            + " when the application was built ahead of time, which decides"
                            + " it; a policy can be off by its mode");
        }
    }

    @Bean
    @ConditionalOnMissingBean
    NanoClock rateLimitClock() {
        return NanoClock.SYSTEM;
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimiter rateLimiter(RateLimitProperties properties, NanoClock clock) {
        String redis = properties.redisProperty();
        if (redis != null) {
            throw new InvalidRateLimitException(
                    redis,
                    "is redis, but there is nothing to ask it by",
                    "Add org.springframework.boot:spring-boot-starter-data-redis, with Lettuce, and do not exclude"
                            + " RateLimitRedisAutoConfiguration."
                            + (AotDetector.useGeneratedArtifacts()
                                    ? " Say redis when the application is built, too: what is built ahead of time has its beans."
                                    : ""));
        }
        return LocalRateLimiter.builder()
                .maximumKeys(properties.local().maximumKeys())
                .synchronization(properties.local().synchronization())
                .clock(clock)
                .build();
    }

    @Bean
    @ConditionalOnMissingBean
    ConfiguredPolicies rateLimitPolicies(RateLimitProperties properties) {
        return new PolicyReader(properties).read();
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimitCounts rateLimitCounts(ConfiguredPolicies policies) {
        return new RateLimitCounts(policies);
    }

    @Bean
    @ConditionalOnMissingBean
    PolicyLimiter rateLimitPolicyLimiter(RateLimiter limiter, ConfiguredPolicies policies, RateLimitCounts counts) {
        return new PolicyLimiter(limiter, policies, counts);
    }

    @Bean
    @ConditionalOnMissingBean
    RateLimitReporter rateLimitReporter(
            ConfiguredPolicies policies,
            RateLimitCounts counts,
            ObjectProvider<RedisRateLimiter> limiter,
            ApplicationEventPublisher events,
            NanoClock clock) {
        RedisRateLimiter redis = limiter.getIfUnique();
        return new RateLimitReporter(policies, counts, redis == null ? null : redis.stats(), events, clock);
    }

    @Bean
    @ConditionalOnMissingBean(PolicyChanger.class)
    LivePolicies rateLimitLivePolicies(
            RateLimitProperties properties,
            ConfiguredPolicies policies,
            ObjectProvider<RateLimitedAdvisor> advisor,
            ApplicationEventPublisher events) {
        return new LivePolicies(properties, policies, advisor, events);
    }

    @Bean
    static EnvironmentChanges rateLimitEnvironmentChanges(
            ObjectProvider<LivePolicies> policies, ConfigurableEnvironment environment) {
        return new EnvironmentChanges(policies, environment);
    }

    /** The annotation. What stands in front of other beans has to be made before them, and so depends on providers. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBooleanProperty(name = "ratelimit.enabled", matchIfMissing = true)
    @Import(ProxyCreator.class)
    static final class AnnotationConfiguration {

        @Bean
        @ConditionalOnMissingBean
        @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
        static RateLimitedAdvisor rateLimitedAdvisor(
                ConfigurableListableBeanFactory beans,
                ObjectProvider<ConfiguredPolicies> policies,
                ObjectProvider<PolicyLimiter> limiter,
                ObjectProvider<RedisRateLimiter> redis,
                ObjectProvider<NanoClock> clock,
                ObjectProvider<CallContexts> contexts,
                Environment environment) {
            return new RateLimitedAdvisor(
                    policies,
                    beans::resolveEmbeddedValue,
                    policy -> redis.ifUnique(each -> each.requireFitting(policy)),
                    limiter,
                    clock,
                    contexts,
                    proxiesAreSubclasses(environment));
        }

        @Bean
        @ConditionalOnMissingBean
        static RateLimitedVerifier rateLimitedVerifier(
                ConfigurableListableBeanFactory beans, RateLimitedAdvisor advisor) {
            return new RateLimitedVerifier(beans, advisor);
        }

        @Bean
        @ConditionalOnMissingBean
        static SelfCalls rateLimitedSelfCalls(ConfigurableListableBeanFactory beans, RateLimitedAdvisor advisor) {
            return new SelfCalls(beans, advisor);
        }
    }

    private static boolean proxiesAreSubclasses(Environment environment) {
        return environment.getProperty("spring.aop.proxy-target-class", Boolean.class, true);
    }

    /** Sees to it that there are proxies, also where spring.aop.auto is off, and of the kind that Boot makes. */
    static final class ProxyCreator implements ImportBeanDefinitionRegistrar {
        private final Environment environment;

        ProxyCreator(Environment environment) {
            this.environment = environment;
        }

        @Override
        public void registerBeanDefinitions(AnnotationMetadata importing, BeanDefinitionRegistry registry) {
            AopConfigUtils.registerAutoProxyCreatorIfNecessary(registry);
            if (proxiesAreSubclasses(environment)) {
                AopConfigUtils.forceAutoProxyCreatorToUseClassProxying(registry);
            }
        }
    }
}
