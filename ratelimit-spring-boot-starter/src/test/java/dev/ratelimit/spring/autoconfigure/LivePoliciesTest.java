package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.PolicyChange;
import dev.ratelimit.spring.PolicyChangedEvent;
import dev.ratelimit.spring.PolicyChanger;
import dev.ratelimit.spring.PolicyMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.env.RandomValuePropertySource;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cloud.context.environment.EnvironmentChangeEvent;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.event.EventListener;
import org.springframework.core.env.MapPropertySource;

@ExtendWith(OutputCaptureExtension.class)
class LivePoliciesTest {
    private final Map<String, Object> environment = new LinkedHashMap<>(Map.of(
            "ratelimit.policies.api.limits", "5/1m",
            "ratelimit.policies.api.penalty.after", "3",
            "ratelimit.policies.api.penalty.within", "1m",
            "ratelimit.policies.api.penalty.limits", "1/1m",
            "ratelimit.policies.api.penalty.for", "1h",
            "ratelimit.policies.login.limits", "3/1h",
            "ratelimit.policies.login.tokens", "2",
            "ratelimit.policies.planned.plans.free", "1/1m"));

    private final ApplicationContextRunner app = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(RateLimitAutoConfiguration.class))
            .withInitializer(context -> context.getEnvironment()
                    .getPropertySources()
                    .addFirst(new MapPropertySource("environment", environment)))
            .withBean(Changes.class);

    static final class Changes {
        private final List<PolicyChangedEvent> heard = new ArrayList<>();

        @EventListener
        void hear(PolicyChangedEvent event) {
            heard.add(event);
        }
    }

    static final class Throwing {
        @EventListener
        @SuppressWarnings("DoNotCallSuggester") // that it throws is what it is there for
        void hear(PolicyChangedEvent event) {
            throw new IllegalStateException("listener");
        }
    }

    private static String limits(AssertableApplicationContext context, String policy) {
        return Objects.requireNonNull(context.getBean(ConfiguredPolicies.class).find(policy))
                .limitsText();
    }

    private static void publishChange(ApplicationEventPublisher context) {
        context.publishEvent(new EnvironmentChangeEvent(Set.of("something")));
    }

    private static void change(AssertableApplicationContext context, String policy, String limits) {
        context.getBean(PolicyChanger.class).change(policy, new PolicyChange(limits, null, null));
    }

    @Test
    void followsTheEnvironment(CapturedOutput output) {
        app.run(context -> {
            environment.put("ratelimit.policies.api.limits", "6/1m,50/1h");
            environment.put("ratelimit.policies.login.mode", false); // as YAML reads off
            environment.put("ratelimit.policies.planned.plans.pro", "9/1m");
            publishChange(context);

            assertThat(limits(context, "api")).isEqualTo("6/1m, 50/1h");
            assertThat(context.getBean(ConfiguredPolicies.class).find("login"))
                    .extracting(ConfiguredPolicy::mode)
                    .isEqualTo(PolicyMode.OFF);
            assertThat(context.getBean(Changes.class).heard)
                    .containsExactlyInAnyOrder(
                            new PolicyChangedEvent(
                                    "api", "5/1m", "6/1m, 50/1h", PolicyMode.ENFORCE, PolicyMode.ENFORCE),
                            new PolicyChangedEvent("login", "3/1h", "3/1h", PolicyMode.ENFORCE, PolicyMode.OFF),
                            new PolicyChangedEvent(
                                    "planned",
                                    "free: 1/1m",
                                    "free: 1/1m; pro: 9/1m",
                                    PolicyMode.ENFORCE,
                                    PolicyMode.ENFORCE));
            assertThat(output)
                    .contains("policy api has changed: limits 5/1m -> 6/1m, 50/1h")
                    .contains("policy login has changed: mode enforce -> off");
        });
    }

    /** Whose properties come first, and so would the policies. */
    @Test
    void takesNoSecretForChangedThatIsAnotherOneWheneverItIsRead() {
        environment.put("ratelimit.key-secret", "${random.uuid}");
        app.withInitializer(context -> RandomValuePropertySource.addToEnvironment(context.getEnvironment()))
                .run(context -> {
                    environment.put("ratelimit.policies.api.limits", "6/1m");
                    publishChange(context);

                    assertThat(limits(context, "api")).isEqualTo("6/1m");
                });
    }

    @Test
    void followsASourceThatComesLater() {
        app.run(context -> {
            List<String> names =
                    List.copyOf(context.getBean(ConfiguredPolicies.class).now().keySet());
            String last = names.get(names.size() - 1);
            context.getEnvironment()
                    .getPropertySources()
                    .addFirst(new MapPropertySource("later", Map.of("ratelimit.policies." + last + ".mode", "shadow")));
            publishChange(context);

            assertThat(context.getBean(ConfiguredPolicies.class).find(last))
                    .extracting(ConfiguredPolicy::mode)
                    .isEqualTo(PolicyMode.SHADOW);
            assertThat(context.getBean(ConfiguredPolicies.class).now().keySet()).containsExactlyElementsOf(names);
        });
    }

    @Test
    void tellsOfAllChangesThoughAListenerThrows(CapturedOutput output) {
        app.withBean(Throwing.class).run(context -> {
            environment.put("ratelimit.policies.api.limits", "6/1m");
            environment.put("ratelimit.policies.login.limits", "4/1h");
            publishChange(context);

            assertThat(limits(context, "api")).isEqualTo("6/1m");
            assertThat(output)
                    .contains(
                            "policy api has changed",
                            "policy login has changed",
                            "A listener to PolicyChangedEvent failed");
        });
    }

    @Test
    void saysNothingWhereNothingOfOursHasChanged(CapturedOutput output) {
        app.run(context -> {
            environment.put("logging.level.root", "info");
            Map<String, ConfiguredPolicy> before =
                    context.getBean(ConfiguredPolicies.class).now();
            publishChange(context);

            assertThat(context.getBean(ConfiguredPolicies.class).now()).isSameAs(before);
            assertThat(context.getBean(Changes.class).heard).isEmpty();
            assertThat(output).doesNotContain("has changed");
        });
    }

    /** Which is the same sentence as at start-up. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ratelimit.policies.login.limits | 1/1m | ratelimit.policies.login.tokens is 2, which is more than the"
                        + " limit 1/1m can ever grant",
                "ratelimit.policies.login.limit | 1/1m | ratelimit.policies.login.limit is unknown; there are: limits",
                "ratelimit.policies.api.penalty.limits | 7/1m | ratelimit.policies.api.penalty.limits is [7/1m], which is"
                        + " no stricter than",
                "ratelimit.policies.login.limits | often | not a limit: \"often\"; write tokens/period"
            })
    void changesNothingIfOneThingIsWrong(String property, String value, String sentence, CapturedOutput output) {
        environment.put(property, value);
        app.run(context -> assertThat(context.getStartupFailure()).hasStackTraceContaining(sentence));
        environment.put(property, "3/1h");
        environment.remove("ratelimit.policies.login.limit");
        environment.put("ratelimit.policies.api.penalty.limits", "1/1m");
        app.run(context -> {
            environment.put("ratelimit.policies.api.limits", "6/1m");
            environment.put(property, value);
            publishChange(context);

            assertThat(limits(context, "api")).isEqualTo("5/1m");
            assertThat(output.getOut().lines().filter(line -> line.contains("RATELIMIT-E01")))
                    .singleElement()
                    .asString()
                    .contains("ERROR", sentence);
            assertThat(context.getBean(Changes.class).heard).isEmpty();

            environment.put(property, property.endsWith("penalty.limits") ? "1/1m" : "3/1h");
            environment.remove("ratelimit.policies.login.limit");
            publishChange(context);
            assertThat(limits(context, "api")).as("once all is right").isEqualTo("6/1m");
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ratelimit.policies.api.paths | /x | ratelimit.policies.api.paths has changed",
                "ratelimit.policies.api.key | global | ratelimit.policies.api.key has changed",
                "ratelimit.policies.api.methods | GET | ratelimit.policies.api.methods has changed",
                "ratelimit.policies.login.tokens | 3 | ratelimit.policies.login.tokens has changed",
                "ratelimit.policies.login.charge-on | 4xx | ratelimit.policies.login.charge-on has changed",
                "ratelimit.policies.other.limits | 1/1m | ratelimit.policies has [",
                "ratelimit.policies.planned.limits | 1/1m | ratelimit.policies.planned.plans stands beside",
                "ratelimit.policies.login.plans.free | 4/1m | ratelimit.policies.login.plans has come or gone",
                "ratelimit.local.maximum-keys | 10 | ratelimit.local has changed",
                "ratelimit.key-secret | 0123456789abcdef | ratelimit.key-secret has changed",
            })
    void refusesWhatTakesARestart(String property, String value, String sentence, CapturedOutput output) {
        app.run(context -> {
            environment.put("ratelimit.policies.api.limits", "6/1m");
            environment.put(property, value);
            if (property.contains("login.plans")) {
                environment.remove("ratelimit.policies.login.limits");
            }
            publishChange(context);

            assertThat(limits(context, "api")).isEqualTo("5/1m");
            assertThat(output).contains("RATELIMIT-E01", sentence).doesNotContain("0123456789abcdef");
        });
    }

    @Test
    void keepsWhatAnOperatorChangedUntilTheEnvironmentSaysSomethingElseOfThat() {
        app.run(context -> {
            change(context, "api", "7/1m");
            environment.put("ratelimit.policies.login.limits", "4/1h");
            publishChange(context);
            assertThat(limits(context, "api")).isEqualTo("7/1m");
            assertThat(limits(context, "login")).isEqualTo("4/1h");

            environment.put("ratelimit.policies.api.limits", "8/1m");
            publishChange(context);
            assertThat(limits(context, "api")).isEqualTo("8/1m");
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "api | often | ratelimit.policies.api.limits is wrong: not a limit: \"often\"; write tokens/period, as in"
                        + " 100/1m or 100/1m burst 200",
                "api | '' | ratelimit.policies.api.limits is missing, but a policy needs at least one limit, such as 100/1m",
                "login | 1/1m | ratelimit.policies.login.tokens is 2, which is more than the limit 1/1m can ever grant",
                "planned | 1/1m | ratelimit.policies.planned.plans stands beside ratelimit.policies.planned.limits, which it"
                        + " is in place of"
            })
    void refusesAnOperatorsChangeByTheSentenceOfTheStart(String policy, String limits, String sentence) {
        app.run(context -> {
            assertThat(catchThrowable(() -> change(context, policy, limits)))
                    .isInstanceOf(InvalidRateLimitException.class)
                    .hasMessage(sentence);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> change(context, "apo", "1/1m"))
                    .withMessageStartingWith("no policy is named \"apo\"; there are: ");
        });
    }

    @Test
    void leavesThePoliciesOfTheApplicationsOwnAlone() {
        app.withBean(
                        ConfiguredPolicies.class,
                        () -> new ConfiguredPolicies(List.of(
                                new ConfiguredPolicy(Policy.of("api", Limit.parse("1/1s")), 1),
                                new ConfiguredPolicy(Policy.of("login", Limit.parse("1/1s")), 1),
                                new ConfiguredPolicy(Policy.of("planned", Limit.parse("1/1s")), 1))))
                .run(
                        context -> assertThat(catchThrowable(() -> change(context, "api", "7/1m")))
                                .hasMessage(
                                        "ratelimit.policies can't be changed, as a ConfiguredPolicies bean is in place of them"));
    }
}
