package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.NanoClock;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.actuate.RateLimitMeters;
import dev.ratelimit.spring.actuate.RateLimitObservationFilter;
import dev.ratelimit.spring.actuate.RateLimitReporter;
import io.lettuce.core.RedisClient;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;

class MetricsConfigurationTest {
    private static final AutoConfigurations OURS = AutoConfigurations.of(
            RateLimitRedisAutoConfiguration.class,
            RateLimitAutoConfiguration.class,
            RateLimitWebAutoConfiguration.class,
            RateLimitMetricsAutoConfiguration.class);

    private final WebApplicationContextRunner web = new WebApplicationContextRunner()
            .withConfiguration(OURS)
            .withPropertyValues("ratelimit.policies.api.limits=5/1m")
            .withBean(MeterRegistry.class, SimpleMeterRegistry::new)
            .withBean(ObservationRegistry.class, ObservationRegistry::create);

    @Test
    void metersTracesAndReports() {
        web.run(context -> {
            assertThat(context).hasSingleBean(RateLimitMeters.class).hasSingleBean(RateLimitObservationFilter.class);
            assertThat(context.getBean(RateLimitReporter.class).isRunning()).isTrue();
        });
    }

    @Test
    void reportsNoLongerThanTheApplicationLives() {
        RateLimitReporter[] reporter = new RateLimitReporter[1];
        web.run(context -> reporter[0] = context.getBean(RateLimitReporter.class));

        assertThat(reporter[0].isRunning()).isFalse();
    }

    @Test
    void hasNoThreadWhereThereIsNothingToReport() {
        new ApplicationContextRunner()
                .withConfiguration(OURS)
                .run(context -> assertThat(
                                context.getBean(RateLimitReporter.class).isRunning())
                        .isFalse());
    }

    @Test
    void needsNeitherMetersNorObservationsNorRedisNorTheWeb() {
        new ApplicationContextRunner()
                .withConfiguration(OURS)
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .doesNotHaveBean(RateLimitMeters.class)
                        .doesNotHaveBean(RateLimitObservationFilter.class));
        web.withClassLoader(new FilteredClassLoader(MeterRegistry.class, RedisClient.class))
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .hasSingleBean(RateLimitReporter.class)
                        .doesNotHaveBean("rateLimitMeters"));
        web.withClassLoader(new FilteredClassLoader("io.lettuce", "org.springframework.data.redis"))
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(RateLimitMeters.class));
    }

    @Test
    void leavesTheApplicationsOwnAlone() {
        ConfiguredPolicies none = new ConfiguredPolicies(List.of());
        RateLimitCounts counts = new RateLimitCounts(none);
        web.withBean("ownMeters", RateLimitMeters.class, () -> new RateLimitMeters(none, counts, null, null))
                .withBean(
                        "ownObservations", RateLimitObservationFilter.class, () -> new RateLimitObservationFilter(none))
                .withBean(
                        "ownReporter",
                        RateLimitReporter.class,
                        () -> new RateLimitReporter(none, counts, null, event -> {}, NanoClock.SYSTEM))
                .run(context -> {
                    assertThat(context).getBeanNames(RateLimitMeters.class).containsExactly("ownMeters");
                    assertThat(context)
                            .getBeanNames(RateLimitObservationFilter.class)
                            .containsExactly("ownObservations");
                    assertThat(context).getBeanNames(RateLimitReporter.class).containsExactly("ownReporter");
                });
    }
}
