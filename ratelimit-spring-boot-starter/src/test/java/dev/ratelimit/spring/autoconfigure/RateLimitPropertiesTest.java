package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.Synchronization;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.web.ForwardedHeader;
import dev.ratelimit.spring.web.RequestRule;
import dev.ratelimit.spring.web.RequestRules;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.web.util.pattern.PathPattern;

@ExtendWith(OutputCaptureExtension.class)
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
                    assertThat(rule.paths().included())
                            .extracting(PathPattern::getPatternString)
                            .containsExactly("/api/**", "/v2/{id}");
                    RequestRule code =
                            context.getBean(RequestRules.class).rules().get(1);
                    assertThat(code.policy().tokens()).isEqualTo(1);
                    assertThat(code.paths().included()).isEmpty();
                });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "                                      | /**                    | /actuator/**",
                "                                      | /actuator/**, /api/**  |",
                "                                      | /actuators             | /actuator/**",
                "management.endpoints.web.base-path=/m | /**                    | /m/**",
                "management.endpoints.web.base-path=/  | /**                    |",
                "management.endpoints.web.base-path=   | /**                    |",
                "ratelimit.policies.api.exclude=/x, /y | /**                    | /x /y",
                "ratelimit.policies.api.exclude=       | /**                    |"
            })
    void excludesTheActuatorUnlessTold(@Nullable String line, String paths, @Nullable String excluded) {
        app.withPropertyValues("ratelimit.policies.api.limits=5/1m", "ratelimit.policies.api.paths=" + paths)
                .withPropertyValues(line == null ? new String[0] : new String[] {line})
                .run(context -> assertThat(context.getBean(RequestRules.class)
                                .rules()
                                .get(0)
                                .paths()
                                .excluded())
                        .extracting(PathPattern::getPatternString)
                        .containsExactly(excluded == null ? new String[0] : excluded.split(" ")));
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
                "limits=5/1m; key= | ratelimit.policies.api.key is [], but must be one key, or several of which none is global",
                "limits=5/1m; key=ip,global | ratelimit.policies.api.key is [ip, global], but must be one key, or several of"
                        + " which none is global",
                "limits=5/1m; key=ip,ip | ratelimit.policies.api.key is [ip, ip], which has the same key twice",
                "limits=5/1m; key=ip,moody | ratelimit.policies.api.key is \"moody\", but must be ip, principal, global,"
                        + " header:NAME, cookie:NAME or the name of a KeyResolver bean; there are: none",
                "key=ip | ratelimit.policies.api.limits is missing, but a policy needs at least one limit, such as 100/1m",
                "limits=5/1m; paths=/api/{id | ratelimit.policies.api.paths has \"/api/{id\", which is no path pattern:"
                        + " Expected close capture character after variable name }",
                "limits=5/1m; paths=api/** | ratelimit.policies.api.paths has \"api/**\", but a path pattern starts with a"
                        + " slash",
                "limits=5/1m; paths= | ratelimit.policies.api.paths is empty, but must have a path pattern, such as /api/**",
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
                "limits=5/1m; tokens=0 | ratelimit.policies.api.tokens is 0, but must be at least 1",
                "limits=5/1m; paths=/**; tokens=paegs | ratelimit.policies.api.tokens is \"paegs\", but must be a number or the"
                        + " name of a TokenCost bean; there are: none",
                "limits=5/1m; tokens=pages | ratelimit.policies.api.tokens means nothing without ratelimit.policies.api.paths",
                "limits=5/1m; exclude=/x | ratelimit.policies.api.exclude means nothing without ratelimit.policies.api.paths",
                "limits=5/1m; paths=/**; exclude=x | ratelimit.policies.api.exclude has \"x\", but a path pattern starts with a"
                        + " slash",
                "limits=5/1m; charge-on=4xx | ratelimit.policies.api.charge-on means nothing without"
                        + " ratelimit.policies.api.paths",
                "limits=5/1m; paths=/**; charge-on=4x | ratelimit.policies.api.charge-on has \"4x\", but must have statuses such"
                        + " as 401, or 4xx for all that begin so",
                "limits=5/1m; paths=/**; charge-on=600 | ratelimit.policies.api.charge-on has \"600\", but must have statuses"
                        + " such as 401, or 4xx for all that begin so",
                "limits=5/1m; paths=/**; charge-on=0xx | ratelimit.policies.api.charge-on has \"0xx\", but must have statuses"
                        + " such as 401, or 4xx for all that begin so",
                "limits=5/1m; paths=/**; charge-on=+99 | ratelimit.policies.api.charge-on has \"+99\", but must have statuses"
                        + " such as 401, or 4xx for all that begin so"
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

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "trusted-proxies=10.0.0.0/33 | ratelimit.client-address.trusted-proxies has \"10.0.0.0/33\", which is neither an"
                        + " address nor a CIDR such as 10.0.0.0/8",
                "trusted-proxies=::1, proxy.example | ratelimit.client-address.trusted-proxies has \"proxy.example\", which is"
                        + " neither an address nor a CIDR such as 10.0.0.0/8",
                "ipv6-prefix=31 | ratelimit.client-address.ipv6-prefix is 31, but must be from 32 to 64",
                "ipv6-prefix=65 | ratelimit.client-address.ipv6-prefix is 65, but must be from 32 to 64"
            })
    void stopsTheStartForAClientAddressThatMeansNothing(String line, String sentence) {
        app.withPropertyValues("ratelimit.client-address." + line)
                .run(context ->
                        assertThat(sentenceOf(context.getStartupFailure())).isEqualTo(sentence));
    }

    @Test
    void stopsTheStartForASecretThatCouldBeGuessedAndDoesNotTellIt() {
        app.withPropertyValues("ratelimit.key-secret=fifteen letters")
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .isEqualTo("ratelimit.key-secret has 15 characters, but must have at least 16"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ratelimit.key-secret",
                "ratelimit.redis.prefix",
                "ratelimit.policies.api.key",
                "ratelimit.policies.api.skip[0]"
            })
    void stopsTheStartForAPlaceholderThatStandsForNothing(String property) {
        app.withPropertyValues("ratelimit.policies.api.limits=5/1m", property + "=canary-${CANARY_THAT_NOBODY_SETS}")
                .run(context -> {
                    assertThat(sentenceOf(context.getStartupFailure()))
                            .isEqualTo(property + " has a placeholder, such as ${NAME}, for which nothing is set");
                    assertThat(String.valueOf(context.getStartupFailure())).doesNotContain("canary-");
                });
    }

    @Test
    void readsWhatAPlaceholderStandsFor() {
        app.withPropertyValues("of.ours=sixteen letters!", "ratelimit.key-secret=${of.ours}")
                .withPropertyValues("ratelimit.redis.prefix=${of.nobody:shop}")
                .run(context -> {
                    RateLimitProperties read = context.getBean(RateLimitProperties.class);
                    assertThat(read.keySecret()).isEqualTo("sixteen letters!");
                    assertThat(read.redis().prefix()).isEqualTo("shop");
                });
    }

    @ParameterizedTest
    @CsvSource({
        "ratelimit.key-secret, ratelimit.key-secret=sixteen letters!",
        "ratelimit.client-address.trusted-proxies[1], ratelimit.client-address.trusted-proxies[0]=10.0.0.1",
        "ratelimit.client-address.trusted-proxies[1], ratelimit.client-address.trusted-proxies=10.0.0.1",
        "ratelimit.client-address.trusted-proxies, ratelimit.client-address.trusted-proxies[0]=10.0.0.1",
    })
    void letsAPlaceholderBeWhereAnotherSourceSaysSomethingElse(String property, String other) {
        app.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addLast(new MapPropertySource("last", Map.of(property, "${OF_NOBODY}"))))
                .withPropertyValues(other)
                .run(context -> assertThat(context).hasNotFailed());
    }

    @ParameterizedTest
    @ValueSource(strings = {"ratelimit.key-secrte", "ratelimit.key-secret[0]", "ratelimit.policies.api.secret"})
    void doesNotTellTheValueOfWhatIsUnknown(String property, CapturedOutput output) {
        SpringApplication application = new SpringApplication(RateLimitAutoConfiguration.class);
        application.setWebApplicationType(WebApplicationType.NONE);

        assertThatException()
                .isThrownBy(() -> application
                        .run("--ratelimit.policies.api.limits=1/s", "--" + property + "=canary-5ec2e7")
                        .close());

        assertThat(output).contains(property + " is unknown").doesNotContain("canary");
    }

    @Test
    void readsWhereAClientAddressComesFrom() {
        app.withPropertyValues(
                        "ratelimit.client-address.trusted-proxies=10.0.0.0/8, ::1",
                        "ratelimit.client-address.header=forwarded",
                        "ratelimit.client-address.ipv6-prefix=48",
                        "ratelimit.key-secret=sixteen letters!")
                .run(context -> {
                    RateLimitProperties read = context.getBean(RateLimitProperties.class);
                    assertThat(read.clientAddress())
                            .isEqualTo(new RateLimitProperties.ClientAddressProperties(
                                    List.of("10.0.0.0/8", "::1"), ForwardedHeader.FORWARDED, 48));
                    assertThat(read.keySecret()).isEqualTo("sixteen letters!");
                });
        app.run(context -> assertThat(context.getBean(RateLimitProperties.class).clientAddress())
                .isEqualTo(new RateLimitProperties.ClientAddressProperties(
                        List.of(), ForwardedHeader.X_FORWARDED_FOR, 56)));
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
        "RATELIMIT_CLIENT_ADDRESS_TRUSTED, ratelimit.client.address.trusted is unknown",
        "RATELIMIT_CLIENTADDRESS_HEADERS, ratelimit.clientaddress.headers is unknown",
        "RATELIMIT_LOCAL_MAX_KEYS, ratelimit.local.max.keys is unknown",
        "RATELIMIT_FILTER_ORDER, ratelimit.filter.order is unknown",
        "RATELIMIT_POLICIES_API_CHARGE_OF, ratelimit.policies.api.charge.of is unknown",
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
                                        "RATELIMIT_POLICIES_API_PATHS", "/**",
                                        "RATELIMIT_POLICIES_API_CHARGE_ON", "4xx",
                                        "RATELIMIT_CLIENTADDRESS_TRUSTEDPROXIES_0", "10.0.0.0/8",
                                        "RATELIMIT_CLIENT_ADDRESS_IPV6_PREFIX", "64",
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
                    assertThat(context.getBean(RateLimitProperties.class).clientAddress())
                            .isEqualTo(new RateLimitProperties.ClientAddressProperties(
                                    List.of("10.0.0.0/8"), ForwardedHeader.X_FORWARDED_FOR, 64));
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
        "ratelimit.policies.api.limits, ratelimit.policies.api.limits.capacity",
        "ratelimit.policies.web.limits[0], ratelimit.policies.web.limits[0].capacity",
    })
    void stopsTheStartForATextThatHasParts(String whole, String part) {
        app.withPropertyValues("ratelimit.policies.api.limits=5/1m", whole + "=5/1m", part + "=5")
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .isEqualTo(whole + " is set, and so is " + part + ", a part of it: use one of the two"));
    }

    /** As a section of a file that another file fills. */
    @Test
    void takesAnEmptyTextForNone() {
        app.withPropertyValues(
                        "ratelimit.local=",
                        "ratelimit.local.maximum-keys=5",
                        "ratelimit.policies.api=",
                        "ratelimit.policies.api.limits=5/1m")
                .run(context -> assertThat(context).hasNotFailed());
    }

    @ParameterizedTest
    @CsvSource({
        "ratelimit.policies.api.limts=5/1m, 'limits, plans, key, paths'",
        "ratelimit.polices.api.limits=5/1m, 'enabled, headers, filter, policies, backend, local, redis'",
        "ratelimit.enable=true, enabled",
        "ratelimit.key-secrt=a secret of somebody, key-secret",
        "ratelimit.local.max-keys=5, 'maximum-keys, synchronization'",
        "ratelimit.redis.time=5, 'timeout, instances, prefix'",
        "ratelimit.filter.order=5, 'order-before-security, order-after-security'",
        "ratelimit.policies.api.penalty.fore=5m, 'after, within, limits, for'",
        "ratelimit.policies.web.limits[0].refill-perid=1m, 'capacity, refill-tokens, refill-period'",
        "ratelimit.policies.web.plans.free[0].refill-perid=1m, 'capacity, refill-tokens, refill-period'",
    })
    void stopsTheStartForAPropertyThatItDoesNotKnow(String line, String known) {
        String property = line.substring(0, line.indexOf('='));
        app.withPropertyValues("ratelimit.policies.api.limits=5/1m", line)
                .run(context -> assertThat(sentenceOf(context.getStartupFailure()))
                        .startsWith(property + " is unknown; there are: ")
                        .contains(known)
                        .doesNotContain("a secret of somebody"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "policies.api.limits=5 per minute | is wrong: not a limit: \"5 per minute\"; write tokens/period, as in 100/1m"
                        + " or 100/1m burst 200",
                "policies.api.limits=5/min | is wrong: not a limit: \"5/min\"; write tokens/period, as in 100/1m or 100/1m"
                        + " burst 200",
                "policies.api.limits=5/1m, 7 | is wrong: not a limit: \"7\"; write tokens/period, as in 100/1m or 100/1m"
                        + " burst 200",
                "policies.api.limits=0/1m | is wrong: capacity must be positive: 0",
                "policies.api.plans.free=100 | is wrong: not a limit: \"100\"; write tokens/period, as in 100/1m or 100/1m"
                        + " burst 200",
                "policies.api.limits[0].capacity=x | is \"x\", but must be a whole number of at most 64 bits",
                "policies.api.mode=on | is \"on\", but must be one of enforce, shadow, off",
                "headers=x | is \"x\", but must be one of ietf, x-ratelimit, none",
                "client-address.header=X-Real-IP | is \"X-Real-IP\", but must be one of x-forwarded-for, forwarded",
                "redis.timeout=soon | is \"soon\", but must be a number and a unit, such as 60s or 1m",
                "filter.order-before-security=3000000000 | is \"3000000000\", but must be a whole number of at most 32 bits",
                "actuator.show-keys=perhaps | is \"perhaps\", but must be true or false",
            })
    void stopsTheStartForAValueThatCannotBeRead(String line, String problem) {
        String property = "ratelimit." + line.substring(0, line.indexOf('='));
        app.withPropertyValues("ratelimit." + line).run(context -> {
            assertThat(context.getStartupFailure()).isInstanceOf(InvalidRateLimitException.class);
            assertThat(sentenceOf(context.getStartupFailure())).isEqualTo(property + ' ' + problem);
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
