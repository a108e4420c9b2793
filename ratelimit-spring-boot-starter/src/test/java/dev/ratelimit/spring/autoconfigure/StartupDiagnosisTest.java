package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.RateLimited;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.servlet.DelegatingFilterProxyRegistrationBean;
import org.springframework.boot.webmvc.autoconfigure.WebMvcAutoConfiguration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.RouterFunctions;
import org.springframework.web.servlet.function.ServerResponse;

@ExtendWith(OutputCaptureExtension.class)
class StartupDiagnosisTest {
    private final WebApplicationContextRunner app = new WebApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    WebMvcAutoConfiguration.class,
                    RateLimitAutoConfiguration.class,
                    RateLimitWebAutoConfiguration.class))
            .withBean(Reports.class)
            .withPropertyValues("ratelimit.policies.annotated.limits=9/1m");

    @RestController
    static class Reports {
        @GetMapping("/reports/{id}")
        String report() {
            return "report";
        }

        @GetMapping("/exports/{id}/{page:[a-z]+}")
        @RateLimited("annotated")
        public String export() {
            return "export";
        }
    }

    /** Those of the log of {@code app}, started with {@code properties} of the policy api, in their order. */
    private static List<String> findings(WebApplicationContextRunner app, CapturedOutput output, String... properties) {
        List<String> policy = new ArrayList<>(List.of("ratelimit.policies.api.limits=5/1m"));
        for (String property : properties) {
            policy.add("ratelimit.policies.api." + property);
        }
        app.withPropertyValues(policy.toArray(String[]::new))
                .run(context -> assertThat(context).hasNotFailed());
        return output.getOut()
                .lines()
                .filter(line -> line.contains("WARN") && line.contains("RATELIMIT-W"))
                .map(line -> line.substring(line.indexOf("RATELIMIT-W")))
                .toList();
    }

    @Test
    void isSilentWhereNothingIsWrong(CapturedOutput output) {
        assertThat(findings(app, output, "limits=100/1m, 10/1s burst 20", "paths=/reports/**, /reports/{other}"))
                .isEmpty();
    }

    @Test
    void saysWhatIsLimited(CapturedOutput output) {
        app.withPropertyValues(
                        "ratelimit.policies.annotated.limits=10/1m, 100/1d",
                        "ratelimit.policies.api.limits=5/1m",
                        "ratelimit.policies.api.paths=/reports/1, /reports/2, /reports/3, /reports/4, /reports/5",
                        "ratelimit.policies.api.mode=shadow",
                        "ratelimit.policies.web.limits=5/1m burst 9",
                        "ratelimit.policies.web.key=header:X-Api-Key, ip",
                        "ratelimit.policies.web.paths=/reports/**",
                        "ratelimit.key-secret=canary-5ec2e7-canary")
                .run(context -> assertThat(context).hasNotFailed());

        assertThat(summaries(output))
                .containsExactly(
                        "Rate limits: annotated (10/1m, 100/1d), api (5/1m by ip on /reports/1, /reports/2,"
                                + " /reports/3 and 2 more, shadow), web (5/1m burst 9 by header:X-Api-Key and ip on /reports/**)");
        assertThat(output).doesNotContain("canary");
    }

    @Test
    void saysThatOfManyPoliciesNotAllAreListed(CapturedOutput output) {
        WebApplicationContextRunner many = app;
        for (int i = 1; i < 1000; i++) {
            many = many.withPropertyValues("ratelimit.policies.p" + i + ".limits=5/1m");
        }
        many.run(context -> assertThat(context).hasNotFailed());

        assertThat(summaries(output))
                .singleElement()
                .asString()
                .endsWith(" and 990 more")
                .hasSizeLessThan(200);
    }

    @Test
    void saysThatNothingIsLimited(CapturedOutput output) {
        WebApplicationContextRunner misspelt = new WebApplicationContextRunner()
                .withConfiguration(
                        AutoConfigurations.of(RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class))
                .withPropertyValues("ratelimits.policies.api.limits=5/1m");
        misspelt.withPropertyValues("ratelimit.enabled=false")
                .run(context -> assertThat(context).hasNotFailed());
        assertThat(summaries(output)).isEmpty();

        misspelt.run(context -> assertThat(context).hasNotFailed());
        assertThat(summaries(output)).containsExactly("Rate limits: no policy is configured under ratelimit.policies");
    }

    private static List<String> summaries(CapturedOutput output) {
        return output.getOut()
                .lines()
                .filter(line -> line.contains("INFO") && line.contains("Rate limits: "))
                .map(line -> line.substring(line.indexOf("Rate limits: ")))
                .toList();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "100/1m, 1000/1s           | has 1000/1s, which never denies what 100/1m beside it allows",
                "1000/1s, 100/1m           | has 1000/1s, which never denies what 100/1m beside it allows",
                "10/1s burst 20, 20/2s     | has 20/2s, which never denies what 10/1s burst 20 beside it allows",
                "5/1m, 5/1m                | has 5/1m, which never denies what 5/1m beside it allows"
            })
    void findsALimitThatNeverBinds(String limits, String sentence, CapturedOutput output) {
        assertThat(findings(app, output, "limits=" + limits, "paths=/reports/1"))
                .containsExactly("RATELIMIT-W04 ratelimit.policies.api.limits " + sentence
                        + "; remove it, or make it stricter in its rate or its burst");
    }

    @Test
    void findsALimitThatNeverBindsUnderAPlan(CapturedOutput output) {
        WebApplicationContextRunner plans = app.withBean(PlanResolver.class, () -> request -> "free")
                .withPropertyValues(
                        "ratelimit.policies.plan.plans.free=60/1m", "ratelimit.policies.plan.plans.pro=600/1m, 700/1m");

        assertThat(findings(plans, output))
                .singleElement()
                .asString()
                .startsWith("RATELIMIT-W04 ratelimit.policies.plan.plans.pro has 700/1m, which never denies");
    }

    @ParameterizedTest
    @ValueSource(strings = {"100/1m, 5000/1d", "1/1s burst 5, 30/1m", "10/1s burst 2, 100/1m"})
    void findsNothingInLimitsThatEachBindAtTimes(String limits, CapturedOutput output) {
        assertThat(findings(app, output, "limits=" + limits)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/report/**", "/reports/1/2", "/reports", "/exports", "/pictures/**", "/x/{a}/**", "/a.html"})
    void findsAPathWhereNothingAnswers(String path, CapturedOutput output) {
        assertThat(findings(app, output, "paths=" + path))
                .singleElement()
                .asString()
                .startsWith(
                        "RATELIMIT-W03 ratelimit.policies.api.paths has " + path + ", where no controller, function");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/reports/1",
                "/reports/*",
                "/reports/{id:\\d+}",
                "/REPORTS/1",
                "/**",
                "/exports/**",
                "/*/*",
                "/{*rest}",
                "/exports/{id}/abcd/**",
                "/static-things/**",
                "/static-things/a.txt",
                "/webjars/x.js"
            })
    void findsNothingInAPathWhereSomethingMayAnswer(String path, CapturedOutput output) {
        assertThat(findings(app, output, "paths=" + path)).isEmpty();
    }

    @Test
    void saysNothingOfPathsWhereFunctionsAnswerToo(CapturedOutput output) {
        RouterFunction<ServerResponse> functions = RouterFunctions.route()
                .GET("/else", request -> ServerResponse.ok().build())
                .build();

        assertThat(findings(
                        app.withBean("functions", RouterFunction.class, () -> functions), output, "paths=/report/**"))
                .isEmpty();
    }

    private WebApplicationContextRunner secured(int order) {
        return app.withBean(
                        "springSecurityFilterChain",
                        jakarta.servlet.Filter.class,
                        () -> (request, response, chain) -> chain.doFilter(request, response))
                .withBean("securityFilterChainRegistration", DelegatingFilterProxyRegistrationBean.class, () -> {
                    DelegatingFilterProxyRegistrationBean registration =
                            new DelegatingFilterProxyRegistrationBean("springSecurityFilterChain");
                    registration.setOrder(order);
                    return registration;
                });
    }

    @ParameterizedTest
    @CsvSource({"/sign-in, 0", "/login/**, 0", "/oauth2/**, 0", "/report/**, 1"})
    void saysNothingOfPathsWhereSecurityMayAnswer(String path, int findings, CapturedOutput output) {
        assertThat(findings(secured(-100), output, "paths=" + path)).hasSize(findings);
    }

    @Test
    void findsAPrincipalThatNobodyLogsIn(CapturedOutput output) {
        assertThat(findings(app, output, "key=principal", "paths=/reports/1"))
                .singleElement()
                .asString()
                .startsWith(
                        "RATELIMIT-W05 ratelimit.policies.api.key names the principal, but there is no Spring Security");
    }

    @Test
    void findsAPrincipalInFrontOfSecurity(CapturedOutput output) {
        assertThat(findings(secured(-50), output, "key=principal", "paths=/reports/1"))
                .containsExactly("RATELIMIT-W05 ratelimit.policies.api.key names the principal, but"
                        + " ratelimit.filter.order-after-security, -90, is in front of Spring Security at -50, where nobody"
                        + " is logged in yet; set it to more than that");
    }

    @Test
    void findsStatusesThatSecurityAnswersInFrontOfThePolicy(CapturedOutput output) {
        assertThat(findings(secured(-100), output, "key=principal", "paths=/reports/1", "charge-on=401,403"))
                .containsExactly("RATELIMIT-W08 ratelimit.policies.api.charge-on has [401, 403], which Spring Security"
                        + " answers, but the policy stands behind it, as its key or its plan may need the user; set"
                        + " ratelimit.policies.api.key to ip");
        assertThat(findings(secured(-100), output, "key=ip", "paths=/reports/1", "charge-on=401"))
                .hasSize(1);
    }

    @Test
    void findsNothingInAHandlerThatThePolicyExcludes(CapturedOutput output) {
        WebApplicationContextRunner excluded = app.withPropertyValues(
                "ratelimit.policies.annotated.paths=/**", "ratelimit.policies.annotated.exclude=/exports/**");

        assertThat(findings(excluded, output)).isEmpty();
    }

    @Test
    void findsNothingInAPrincipalBehindSecurity(CapturedOutput output) {
        assertThat(findings(secured(-100), output, "key=principal", "paths=/reports/1"))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "/exports/**, GET, 1",
        "/exports/1/abcd, '', 1",
        "/**, '', 1",
        "/exports/**, POST, 0",
        "/reports/**, '', 0"
    })
    void findsAHandlerThatIsChargedTwice(String paths, String methods, int findings, CapturedOutput output) {
        WebApplicationContextRunner twice = app.withPropertyValues(
                "ratelimit.policies.annotated.paths=" + paths, "ratelimit.policies.annotated.methods=" + methods);

        assertThat(findings(twice, output))
                .hasSize(findings)
                .allMatch(each -> each.startsWith("RATELIMIT-W06 @RateLimited on"))
                .allMatch(each ->
                        each.contains("Reports#export[0 args] names the policy annotated, whose paths cover it"));
    }
}
