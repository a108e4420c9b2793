package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.ratelimit.ManualClock;
import dev.ratelimit.NanoClock;
import dev.ratelimit.spring.autoconfigure.RateLimitAutoConfiguration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** An application that is no web application, whose time stands still. */
final class LimitedApp {
    final ManualClock clock = new ManualClock(ThreadLocalRandom.current().nextLong());
    final ApplicationContextRunner runner = withoutClock().withBean(NanoClock.class, () -> clock);

    static ApplicationContextRunner withoutClock() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(RateLimitAutoConfiguration.class))
                .withPropertyValues(
                        "ratelimit.policies.login.limits=2/1m",
                        "ratelimit.policies.dear.limits=10/1m",
                        "ratelimit.policies.dear.tokens=4",
                        "export.limit=3/1m");
    }

    /** Runs {@code test} on a bean of {@code type}. */
    <T> void with(Class<T> type, Consumer<T> test) {
        runner.withBean(type).run(context -> test.accept(context.getBean(type)));
    }

    static RateLimitExceededException denied(ThrowingCallable call) {
        RateLimitExceededException denied = catchThrowableOfType(RateLimitExceededException.class, call);
        assertThat(denied).as("denial").isNotNull();
        return denied;
    }
}
