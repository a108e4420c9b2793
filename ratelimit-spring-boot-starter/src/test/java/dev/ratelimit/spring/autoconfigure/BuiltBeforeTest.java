package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.InvalidRateLimitException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.aot.AotDetector;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.SpringProperties;

/** What is said otherwise than when the application was built ahead of time stops the start, where a limit would be off. */
class BuiltBeforeTest {
    private final ApplicationContextRunner runner =
            new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(RateLimitAutoConfiguration.class));

    @BeforeEach
    void useWhatWasBuilt() {
        SpringProperties.setProperty(AotDetector.AOT_ENABLED, "true");
    }

    @AfterEach
    void useNothing() {
        SpringProperties.setProperty(AotDetector.AOT_ENABLED, null);
    }

    @Test
    void startsAsItWasBuilt() {
        runner.run(context -> assertThat(context).hasNotFailed());
        runner.withPropertyValues("ratelimit.enabled=false")
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void refusesToBeEnabledWithoutTheBeansForIt() {
        runner.withBean(BeanDefinitionRegistryPostProcessor.class, BuiltBeforeTest::withoutAnnotation)
                .run(context -> assertThat(context)
                        .getFailure()
                        .isInstanceOf(InvalidRateLimitException.class)
                        .hasMessageStartingWith("ratelimit.enabled is true, but was false when"));
    }

    private static BeanDefinitionRegistryPostProcessor withoutAnnotation() {
        return registry -> {
            for (String name : registry.getBeanDefinitionNames()) {
                if (name.contains("AnnotationConfiguration")) {
                    registry.removeBeanDefinition(name);
                }
            }
        };
    }

    @Test
    void tellsThatTheBeansForRedisAreThoseOfTheBuild() {
        runner.withPropertyValues("ratelimit.backend=redis")
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOfSatisfying(InvalidRateLimitException.class, failure -> {
                            assertThat(failure).hasMessageStartingWith("ratelimit.backend is redis, but");
                            assertThat(failure.remedy()).contains("when the application is built");
                        }));
    }
}
