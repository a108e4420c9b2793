package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.Synchronization;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.web.RequestRule;
import dev.ratelimit.spring.web.RequestRules;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.web.util.pattern.PathPattern;

class RateLimitPropertiesTest {
    private final WebApplicationContextRunner app = new WebApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class));

    @Test
    void readsALimitAsTextAndInParts() {
        app.withPropertyValues(
                        "ratelimit.policies.text.limits=100/1m burst 200, 5000/1d",
                        "ratelimit.policies.list.limits[0]=10/s",
                        "ratelimit.policies.parts.limits[0].capacity=200",
                        "ratelimit.policies.parts.limits[0].refill-tokens=100",
                        "ratelimit.policies.parts.limits[0].refill-period=1m",
                        "ratelimit.policies.parts.limits[1]=5000/1d")
                .run(context -> {
                    ConfiguredPolicies policies = context.getBean(ConfiguredPolicies.class);
                    Limit burst = new Limit(200, 100, Duration.ofMinutes(1));
                    Limit daily = Limit.of(5000, Duration.ofDays(1));
                    assertThat(policies.get("text")).isEqualTo(Policy.of("text", burst, daily));
                    assertThat(policies.get("list")).isEqualTo(Policy.of("list", Limit.of(10, Duration.ofSeconds(1))));
                    assertThat(policies.get("parts")).isEqualTo(Policy.of("parts", burst, daily));
                });
    }

    @Test
    void readsWhatAPolicyAppliesToAndCosts() {
        app.withPropertyValues(
                        "ratelimit.policies.api.limits=100/1m",
                        "ratelimit.policies.api.paths=/api/**, /v2/{id}",
                        "ratelimit.policies.api.methods=get, POST",
                        "ratelimit.policies.api.tokens=3",
                        "ratelimit.policies.code.limits=1/s")
                .run(context -> {
                    RequestRule rule =
                            context.getBean(RequestRules.class).rules().get(0);
                    assertThat(rule.policy().tokens()).isEqualTo(3);
                    assertThat(rule.methods()).containsExactlyInAnyOrder("GET", "POST");
                    assertThat(rule.paths())
                            .extracting(PathPattern::getPatternString)
                            .containsExactly("/api/**", "/v2/{id}");
                    RequestRule code =
                            context.getBean(RequestRules.class).rules().get(1);
                    assertThat(code.policy().tokens()).isEqualTo(1);
                    assertThat(code.paths()).isEmpty();
                });
    }

    @Test
    void readsHowTheLocalLimiterKeepsItsBuckets() {
        app.withPropertyValues("ratelimit.local.maximum-keys=7", "ratelimit.local.synchronization=stamped")
                .run(context -> assertThat(
                                context.getBean(RateLimitProperties.class).local())
                        .isEqualTo(new RateLimitProperties.LocalProperties(7, Synchronization.STAMPED)));
        app.run(context -> assertThat(context.getBean(RateLimitProperties.class).local())
                .isEqualTo(new RateLimitProperties.LocalProperties(100_000, Synchronization.CAS)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "limits=5/1m; key=prinicpal | ratelimit.policies.api.key is \"prinicpal\", but must be ip, principal, global,"
                        + " header:NAME, cookie:NAME or the name of a KeyResolver bean; there are: none",
                "limits=5/1m; key=header: | ratelimit.policies.api.key is \"header:\", but must be ip, principal, global,"
                        + " header:NAME, cookie:NAME or the name of a KeyResolver bean; there are: none",
                "key=ip | ratelimit.policies.api.limits is missing, but a policy needs at least one limit, such as 100/1m",
                "limits=5/1m; paths=/api/{id | ratelimit.policies.api.paths has \"/api/{id\", which is no path pattern:"
                        + " Expected close capture character after variable name }",
                "limits=5/1m; paths=api/** | ratelimit.policies.api.paths has \"api/**\", but a path pattern starts with a"
                        + " slash",
                "limits=5/1m; paths=/**; methods=GTE | ratelimit.policies.api.methods has \"GTE\", which is no HTTP method that"
                        + " Spring MVC serves",
                "limits=5/1m; methods=GET | ratelimit.policies.api.methods means nothing without ratelimit.policies.api.paths",
                "limits=5/1m; tokens=6 | ratelimit.policies.api.tokens is 6, which is more than the limit 5/1m can ever grant",
                "limits[0].refill-tokens=5 | ratelimit.policies.api.limits[0].refill-period is"
                        + " missing, but a limit in parts needs refill-tokens and refill-period",
                "limits[0].refill-tokens=5; limits[0].refill-period=60 | ratelimit.policies.api.limits[0].refill-period is"
                        + " \"60\", but must be a number and a unit, such as 60s or 1m",
                "limits[0].refill-tokens=0; limits[0].refill-period=1m | ratelimit.policies.api.limits[0] is out of range:"
                        + " capacity must be positive: 0",
                "limits=5/1m; tokens=0 | ratelimit.policies.api.tokens is 0, but must be at least 1"
            })
    void stopsTheStartWithASentence(String policy, String sentence) {
        String[] properties = policy.split(";\\s*");
        for (int i = 0; i < properties.length; i++) {
            properties[i] = "ratelimit.policies.api." + properties[i];
        }
        app.withPropertyValues(properties)
                .run(context ->
                        assertThat(sentenceOf(context.getStartupFailure())).isEqualTo(sentence));
    }

    @Test
    void stopsTheStartForABudgetOfEachThread() {
        app.withPropertyValues("ratelimit.local.synchronization=thread_local")
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .startsWith(
                                "ratelimit.local.synchronization is thread_local, under which a client would have"));
    }

    @Test
    void stopsTheStartForAMaximumBelowOne() {
        app.withPropertyValues("ratelimit.local.maximum-keys=0")
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .isEqualTo("ratelimit.local.maximum-keys is 0, but must be at least 1"));
    }

    @ParameterizedTest
    @CsvSource({
        "RATELIMIT_POLICIES_API_PATH, ratelimit.policies.api.path is unknown",
        "RATELIMIT_LOCAL_MAX_KEYS, ratelimit.local.max.keys is unknown",
        "RATELIMIT_POLICIES_LOGINAPI_LIMITS, has a name that an environment variable could not tell from"
    })
    void stopsTheStartForAnEnvironmentVariableThatItDoesNotKnow(String variable, String problem) {
        app.withPropertyValues("ratelimit.policies.api.limits=5/1m", "ratelimit.policies.login-api.limits=5/1m")
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new SystemEnvironmentPropertySource(
                                StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, Map.of(variable, "5/1m"))))
                .run(context ->
                        assertThat(sentenceOf(context.getStartupFailure())).contains(problem));
    }

    @Test
    void readsEnvironmentVariables() {
        app.withPropertyValues("ratelimit.policies.api.limits=5/1m")
                .withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new SystemEnvironmentPropertySource(
                                StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                                Map.of(
                                        "RATELIMIT_POLICIES_API_LIMITS", "7/1m",
                                        "RATELIMIT_LOCAL_MAXIMUM_KEYS", "9",
                                        "RATELIMIT_SERVICE_HOST", "somebody else's"))))
                .run(context -> {
                    assertThat(context.getBean(ConfiguredPolicies.class)
                                    .get("api")
                                    .limits())
                            .containsExactly(Limit.parse("7/1m"));
                    assertThat(context.getBean(RateLimitProperties.class)
                                    .local()
                                    .maximumKeys())
                            .isEqualTo(9);
                });
    }

    @Test
    void stopsTheStartForAPolicyThatNoHeaderCouldName() {
        app.withPropertyValues("ratelimit.policies[\u00fc].limits=5/1m")
                .run(context ->
                        assertThat(sentenceOf(context.getStartupFailure())).contains("is not printable ASCII"));
    }

    @ParameterizedTest
    @CsvSource({
        "ratelimit.policies.api.limts=5/1m, ratelimit.policies.api.limts",
        "ratelimit.polices.api.limits=5/1m, ratelimit.polices.api.limits",
        "ratelimit.enable=true, ratelimit.enable",
        "ratelimit.local.max-keys=5, ratelimit.local.max-keys",
        "ratelimit.policies.web.limits[0].refill-perid=1m, ratelimit.policies.web.limits[0].refill-perid",
    })
    void stopsTheStartForAPropertyThatItDoesNotKnow(String line, String property) {
        app.withPropertyValues("ratelimit.policies.api.limits=5/1m", line)
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .hasMessageContaining("[" + property + "] were left unbound"));
    }

    @ParameterizedTest
    @CsvSource({
        "5 per minute, not a limit",
        "100, not a limit",
        "0/1m, capacity must be positive: 0",
        "2/1ns, the rate must be at most"
    })
    void stopsTheStartForALimitThatMeansNothing(String limit, String problem) {
        app.withPropertyValues("ratelimit.policies.api.limits=" + limit).run(context -> {
            assertThat(context.getStartupFailure()).rootCause().hasMessageStartingWith(problem);
            assertThat(context.getStartupFailure()).hasStackTraceContaining("ratelimit.policies.api.limits");
        });
    }

    private static String sentenceOf(@Nullable Throwable failure) {
        FailureAnalysis analysis = failure == null ? null : new InvalidRateLimitFailureAnalyzer().analyze(failure);
        if (analysis == null) {
            throw new AssertionError("no sentence for " + failure);
        }
        assertThat(analysis.getAction()).startsWith("Correct ratelimit.");
        return analysis.getDescription();
    }
}
