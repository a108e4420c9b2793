package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.springframework.aot.hint.predicate.RuntimeHintsPredicates.proxies;
import static org.springframework.aot.hint.predicate.RuntimeHintsPredicates.reflection;
import static org.springframework.aot.hint.predicate.RuntimeHintsPredicates.resource;

import dev.ratelimit.spring.RateLimitExceededException;
import dev.ratelimit.spring.RateLimited;
import dev.ratelimit.spring.redis.RedisRateLimiter;
import jakarta.servlet.http.HttpServletRequest;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.security.Principal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.GeneratedFiles.Kind;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.util.TestPropertyValues;
import org.springframework.boot.web.server.servlet.context.AnnotationConfigServletWebServerApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.core.annotation.AliasFor;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.javapoet.ClassName;

/** What is kept of a web application with policies, Redis, the annotation and the endpoint that is built ahead of time. */
@TestInstance(Lifecycle.PER_CLASS) // one build for all
class RateLimitHintsTest {
    private final InMemoryGeneratedFiles files = new InMemoryGeneratedFiles();
    private final RuntimeHints hints = build();

    private RuntimeHints build() {
        DefaultGenerationContext generation =
                new DefaultGenerationContext(new ClassNameGenerator(ClassName.get(RateLimitHintsTest.class)), files);
        try (AnnotationConfigServletWebServerApplicationContext context =
                new AnnotationConfigServletWebServerApplicationContext()) {
            context.register(Application.class);
            TestPropertyValues.of(
                            "ratelimit.backend=redis",
                            "ratelimit.policies.api.limits=5/1m",
                            "ratelimit.policies.api.paths=/**",
                            "management.endpoints.web.exposure.include=*")
                    .applyTo(context);
            new ApplicationContextAotGenerator().processAheadOfTime(context, generation);
        }
        generation.writeGeneratedContent();
        return generation.getRuntimeHints();
    }

    @Test
    void keepsTheScriptOfRedis() {
        assertThat(RedisRateLimiter.class.getResource("bucket.lua")).isNotNull();
        assertThat(resource().forResource("dev/ratelimit/spring/redis/bucket.lua"))
                .accepts(hints);
    }

    @Test
    void keepsWhatTheKindOfConnectionIsReadFrom() {
        assertThat(reflection().onFieldAccess(LettuceConnectionFactory.class, "configuration"))
                .accepts(hints);
    }

    @Test
    void keepsTheRequestThatTheEndpointDescribes() {
        assertThat(proxies().forInterfaces(HttpServletRequest.class)).accepts(hints);
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                RateLimitProperties.class,
                RateLimitProperties.PolicyProperties.class,
                RateLimitProperties.FilterProperties.class,
                RateLimitProperties.LocalProperties.class,
                RateLimitProperties.ClientAddressProperties.class,
                RateLimitProperties.ActuatorProperties.class,
                LimitProperties.class,
                PenaltyProperties.class,
                RedisProperties.class
            })
    void keepsWhatPropertiesAreBoundTo(Class<?> properties) {
        assertThat(reflection().onConstructorInvocation(properties.getDeclaredConstructors()[0]))
                .accepts(hints);
        assertThat(reflection().onType(properties).withMemberCategory(MemberCategory.INVOKE_DECLARED_METHODS))
                .accepts(hints);
    }

    @ParameterizedTest
    @ValueSource(classes = {RateLimited.class, RateLimited.All.class, Frugal.class})
    void keepsAnnotations(Class<?> annotation) {
        assertThat(reflection().onType(annotation).withMemberCategory(MemberCategory.INVOKE_DECLARED_METHODS))
                .accepts(hints);
    }

    @ParameterizedTest
    @ValueSource(classes = {Reports.class, Exports.class})
    void keepsMethodsAndFallbacks(Class<?> bean) {
        assertThat(reflection().onType(bean).withMemberCategory(MemberCategory.INVOKE_DECLARED_METHODS))
                .accepts(hints);
    }

    @Test
    void keepsWhatExpressionsReadOfArguments() throws NoSuchMethodException {
        assertThat(reflection().onMethodInvocation(Order.class.getMethod("customer")))
                .accepts(hints);
        assertThat(reflection().onMethodInvocation(Customer.class.getMethod("getName")))
                .accepts(hints);
        assertThat(reflection().onMethodInvocation(Principal.class.getMethod("getName")))
                .accepts(hints);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "RateLimitAutoConfiguration",
                "RateLimitRedisAutoConfiguration",
                "RateLimitWebAutoConfiguration",
                "RateLimitActuatorAutoConfiguration",
                "RateLimitMetricsAutoConfiguration",
                "RateLimitHealthAutoConfiguration"
            })
    void writesTheDefinitionsOfAllBeans(String configuration) {
        assertThat(files.getGeneratedFiles(Kind.SOURCE))
                .containsKey("dev/ratelimit/spring/autoconfigure/" + configuration + "__BeanDefinitions.java");
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
        @Bean
        Reports reports() {
            return new Reports();
        }

        @Bean
        Exports exports() {
            return new Exports();
        }
    }

    static class Reports {
        @RateLimited(limit = "5/1m", key = "#order.customer.name", fallback = "instead")
        @RateLimited(limit = "9/1h")
        public String latest(Order order) {
            return "";
        }

        String instead(Order order, RateLimitExceededException exceeded) {
            return "";
        }

        @Frugal("#user.name")
        public void look(Principal user) {}
    }

    @RateLimited(limit = "5/1m")
    static class Exports {
        public void export() {}
    }

    record Order(Customer customer) {}

    static class Customer {
        public String getName() {
            return "";
        }
    }

    @RateLimited(limit = "1/1m")
    @Retention(RetentionPolicy.RUNTIME)
    @interface Frugal {
        @AliasFor(annotation = RateLimited.class, attribute = "key")
        String value();
    }
}
