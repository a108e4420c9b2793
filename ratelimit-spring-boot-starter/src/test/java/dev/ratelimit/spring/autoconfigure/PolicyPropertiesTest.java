package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.PolicyMode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.core.io.ByteArrayResource;

/** Reads plans, modes, skips and penalties. */
class PolicyPropertiesTest {
    private final WebApplicationContextRunner app = new WebApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class));

    private WebApplicationContextRunner appWith(String yaml) {
        return app.withInitializer(context -> {
            try {
                new YamlPropertySourceLoader()
                        .load("yaml", new ByteArrayResource(yaml.getBytes(StandardCharsets.UTF_8)))
                        .forEach(context.getEnvironment().getPropertySources()::addFirst);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static ConfiguredPolicy api(ConfiguredPolicies policies) {
        return policies.all().iterator().next();
    }

    @Test
    void readsPlansInEveryFormThatALimitHas() {
        appWith("""
                        ratelimit:
                          policies:
                            api:
                              plans:
                                free: 60/1m
                                pro: [600/1m, 10000/1d]
                                parts: [{capacity: 20, refill-tokens: 10, refill-period: 1s}]
                                "[Very Big]": 1000/1m
                        """).withBean(PlanResolver.class, () -> request -> "free").run(context -> {
            ConfiguredPolicy api = api(context.getBean(ConfiguredPolicies.class));
            assertThat(api.plans())
                    .containsOnlyKeys("free", "pro", "parts", "Very Big")
                    .containsEntry("free", Policy.of("api", Limit.parse("60/1m")))
                    .containsEntry("pro", Policy.of("api", Limit.parse("600/1m"), Limit.parse("10000/1d")))
                    .containsEntry("parts", Policy.of("api", Limit.parse("10/1s burst 20")));
            assertThat(api.policy().limits())
                    .as("strictest")
                    .containsExactlyInAnyOrder(
                            Limit.parse("60/1m"), Limit.parse("10000/1d"), Limit.parse("10/1s burst 20"));
        });
    }

    @ParameterizedTest
    @CsvSource({
        "60/1m, 600/1m, 60/1m",
        "600/1m, 60/1m, 60/1m",
        "60/1m, 1/1s, 1/1s",
        "60/1m, 60/1m burst 100, 60/1m",
        "10/1s, 1000/1h, '10/1s,1000/1h'",
        "999999937/1s, 999999938/1s, 999999937/1s"
    })
    void findsWhatNoPlanWouldDeny(String one, String other, String strictest) {
        Policy found = ConfiguredPolicy.strictest(
                List.of(Policy.of("api", Limit.parse(one)), Policy.of("api", Limit.parse(other))));

        assertThat(found.limits())
                .containsExactly(
                        Stream.of(strictest.split(",")).map(Limit::parse).toArray(Limit[]::new));
    }

    @ParameterizedTest
    @CsvSource({
        "enforce, ENFORCE",
        "shadow, SHADOW",
        "SHADOW, SHADOW",
        "off, OFF",
        "'\"off\"', OFF",
        "false, OFF",
        "Off, OFF",
        "no, OFF"
    })
    void readsModesAsYamlHasThem(String mode, PolicyMode expected) {
        appWith("ratelimit: {policies: {api: {limits: 5/1m, mode: " + mode + "}}}")
                .run(context -> assertThat(
                                api(context.getBean(ConfiguredPolicies.class)).mode())
                        .isEqualTo(expected));
    }

    @Test
    void enforcesUnlessTold() {
        appWith("ratelimit: {policies: {api: {limits: 5/1m}}}")
                .run(context -> assertThat(
                                api(context.getBean(ConfiguredPolicies.class)).mode())
                        .isEqualTo(PolicyMode.ENFORCE));
    }

    @ParameterizedTest
    @ValueSource(strings = {"on", "true", "enforced", "[shadow, off]"})
    void stopsTheStartForAModeThatThereIsNot(String mode) {
        appWith("ratelimit: {policies: {api: {limits: 5/1m, mode: " + mode + "}}}")
                .run(context ->
                        assertThat(context.getStartupFailure()).hasStackTraceContaining("ratelimit.policies.api.mode"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"20", "20 denials", "\"20\""})
    void readsHowManyDenialsBringAPenalty(String after) {
        appWith("ratelimit: {policies: {api: {limits: 5/1m, penalty: {after: " + after
                        + ", within: 1m, limits: 1/1m, for: 10m}}}}")
                .run(context -> assertThat(
                                api(context.getBean(ConfiguredPolicies.class)).penalty())
                        .isNotNull());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "limits: 5/1m, plans: {free: 1/1m} | api.plans stands beside ratelimit.policies.api.limits, which it is in place"
                        + " of",
                "plans: {free: []} | api.plans.free is missing, but needs at least one limit, such as 100/1m",
                "plans: {free: 5/1m} | api.plans needs one PlanResolver bean, but there are: none",
                "plans: {free: 5/1m, pro: 50/1m}, tokens: 6 | api.tokens is 6, which is more than the limit 5/1m can ever grant",
                "limits: 5/1m, skip: [10.0.0.0/33] | api.skip has \"10.0.0.0/33\", but must have client addresses, such as"
                        + " 10.0.0.0/8, or names of RequestSkip beans; there are: none",
                "limits: 5/1m, skip: nobody | api.skip has \"nobody\", but must have client addresses, such as 10.0.0.0/8, or"
                        + " names of RequestSkip beans; there are: none",
                "limits: 5/1m, penalty: {within: 1m, limits: 1/1m, for: 1m} | api.penalty.after is missing, but a penalty needs"
                        + " after, within, limits and for",
                "limits: 5/1m, penalty: {after: 20, limits: 1/1m, for: 1m} | api.penalty.within is missing, but a penalty needs"
                        + " after, within, limits and for",
                "limits: 5/1m, penalty: {after: 20, within: 1m, for: 1m} | api.penalty.limits is missing, but needs at least one"
                        + " limit, such as 100/1m",
                "limits: 5/1m, penalty: {after: 20, within: 1m, limits: 1/1m} | api.penalty.for is missing, but a penalty needs"
                        + " after, within, limits and for",
                "limits: 5/1m, penalty: {after: 0, within: 1m, limits: 1/1m, for: 1m} | api.penalty.after is \"0\", but must be"
                        + " a number of denials, at least 1",
                "limits: 5/1m, penalty: {after: many, within: 1m, limits: 1/1m, for: 1m} | api.penalty.after is \"many\", but"
                        + " must be a number of denials, at least 1",
                "limits: 5/1m, penalty: {after: 20, within: 60, limits: 1/1m, for: 1m} | api.penalty.within is \"60\", but must"
                        + " be a number and a unit, such as 60s or 1m",
                "limits: 5/1m, penalty: {after: 20, within: 0s, limits: 1/1m, for: 1m} | api.penalty.within is out of range:"
                        + " refillPeriod must be positive: PT0S",
                "limits: 5/1m, penalty: {after: 20, within: 1m, limits: 1/1m, for: -1m} | api.penalty.for is out of range:"
                        + " refillPeriod must be positive: PT-1M",
                "limits: 5/1m, penalty: {after: 20, within: 1m, limits: 5/1m, for: 1m} | api.penalty.limits is [5/1m], which is"
                        + " no stricter than [5/1m]",
                "limits: 5/1m, key: global, penalty: {after: 20, within: 1m, limits: 1/1m, for: 1m} | api.penalty would be"
                        + " everybody's, as the policy's key is global",
                "limits: 5/1m, penalty: {after: 20, within: 1m, limits: 1/1m, for: 1m}}, '[api.penalty]': {limits: 5/1m |"
                        + " api.penalty has the name of what the penalty of api counts",
            })
    void stopsTheStartWithASentence(String policy, String sentence) {
        appWith("ratelimit: {policies: {api: {" + policy + "}}}").run(context -> {
            FailureAnalysis analysis =
                    new InvalidRateLimitFailureAnalyzer().analyze(Objects.requireNonNull(context.getStartupFailure()));
            assertThat(Objects.requireNonNull(analysis, "no sentence").getDescription())
                    .isEqualTo("ratelimit.policies." + sentence);
        });
    }

    @Test
    void stopsTheStartForTwoPlanResolvers() {
        appWith("ratelimit: {policies: {api: {plans: {free: 5/1m}}}}")
                .withBean("one", PlanResolver.class, () -> request -> "free")
                .withBean("other", PlanResolver.class, () -> request -> "free")
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageStartingWith("ratelimit.policies.api.plans needs one PlanResolver bean")
                        .hasMessageContaining("one")
                        .hasMessageContaining("other"));
    }

    @Test
    void stopsTheStartForMorePlansThanTheLimiterCanTellApart() {
        String plans = IntStream.rangeClosed(1, 64)
                .mapToObj(i -> "p" + i + ": " + i + "/1m")
                .collect(Collectors.joining(", "));
        appWith("ratelimit: {policies: {api: {plans: {" + plans + "}}}}")
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessage("ratelimit.policies.api.plans has 64, but may have 63"));
    }

    @ParameterizedTest
    @CsvSource({
        "'plans: {free: five}', ratelimit.policies.api.plans.free",
        "'limits: 5/1m, penalty: {after: 20, within: 1m, limits: one, for: 1m}', ratelimit.policies.api.penalty.limits",
        "'limits: 5/1m, penalty: {aftr: 20, within: 1m, limits: 1/1m, for: 1m}', ratelimit.policies.api.penalty.aftr"
    })
    void namesThePropertyThatCannotBeRead(String policy, String property) {
        appWith("ratelimit: {policies: {api: {" + policy + "}}}")
                .run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining(property));
    }
}
