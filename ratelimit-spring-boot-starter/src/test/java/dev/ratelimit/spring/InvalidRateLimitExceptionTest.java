package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchException;

import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Configuration;

class InvalidRateLimitExceptionTest {

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}

    /** Where the example of its Javadoc looks for it: Spring wraps it or not, as it comes. */
    @ParameterizedTest
    @ValueSource(strings = {"ratelimit.policies.login.path", "ratelimit.policies.login.paths"})
    void isAmongTheCausesOfAStartThatFails(String property) {
        Exception failure = catchException(() -> SpringApplication.run(
                Application.class,
                "--server.port=0",
                "--ratelimit.policies.login.limits=5/1m",
                "--" + property + "=login"));

        assertThat(Stream.<Throwable>iterate(failure, Objects::nonNull, Throwable::getCause))
                .filteredOn(InvalidRateLimitException.class::isInstance)
                .singleElement()
                .satisfies(invalid -> assertThat(((InvalidRateLimitException) invalid).place())
                        .isEqualTo(property));
    }
}
