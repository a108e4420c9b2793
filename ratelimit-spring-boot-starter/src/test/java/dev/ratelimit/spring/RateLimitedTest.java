package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.ManualClock;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.autoconfigure.RateLimitAutoConfiguration;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.support.ApplicationObjectSupport;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.core.annotation.AliasFor;

class RateLimitedTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final ApplicationContextRunner app = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(RateLimitAutoConfiguration.class))
            .withBean(NanoClock.class, () -> clock)
            .withPropertyValues(
                    "ratelimit.policies.login.limits=2/1m",
                    "ratelimit.policies.dear.limits=10/1m",
                    "ratelimit.policies.dear.tokens=4",
                    "export.limit=3/1m");

    record Report(int pages, @Nullable String tenant) {}

    interface Contract {
        @RateLimited("login")
        String byInterface();
    }

    static class Reports implements Contract {
        @RateLimited("login")
        public String named() {
            return "named";
        }

        @RateLimited(limit = "3/1m", key = "#tenant")
        public String keyed(String tenant) {
            return tenant;
        }

        @RateLimited(limit = "10/1m", key = "#report.tenant", tokens = "#report.pages")
        public int weighted(Report report) {
            return report.pages();
        }

        @RateLimited("dear")
        public void dear() {}

        @RateLimited(policy = "login", key = "#user")
        @RateLimited(limit = "3/1m")
        public void both(String user) {}

        @RateLimited(limit = "1/1s", maxWait = "1500ms")
        public void patient() {}

        @RateLimited(limit = "1/1m", fallback = "cached")
        public String fallible(String id) {
            return "fresh " + id;
        }

        @SuppressWarnings("UnusedMethod") // by its name
        private String cached(String id, RateLimitExceededException exceeded) {
            return "cached " + id + " " + exceeded.policies();
        }

        @RateLimited(limit = "${export.limit}, 5/1h")
        public void placeholder() {}

        @Expensive("dear")
        public void composed() {}

        @Override
        public String byInterface() {
            return "by interface";
        }

        public String free() {
            return "free";
        }
    }

    @RateLimited("dear")
    @Retention(RetentionPolicy.RUNTIME)
    @interface Expensive {
        @AliasFor(annotation = RateLimited.class, attribute = "policy")
        String value();
    }

    @RateLimited(limit = "3/1m")
    static class Guarded {
        public void first() {}

        public void second() {}

        @RateLimited(limit = "1/1m")
        public void own() {}
    }

    private void withReports(Consumer<Reports> test) {
        app.withBean(Reports.class).run(context -> test.accept(context.getBean(Reports.class)));
    }

    private static RateLimitExceededException denied(ThrowingCallable call) {
        RateLimitExceededException denied = catchThrowableOfType(RateLimitExceededException.class, call);
        assertThat(denied).as("denial").isNotNull();
        return denied;
    }

    @Test
    void holdsCallsOutsideOfRequestsToTheStrictestPlan() {
        app.withPropertyValues(
                        "ratelimit.policies.planned.plans.free=2/1m", "ratelimit.policies.planned.plans.pro=9/1m")
                .withBean(Planned.class)
                .run(context -> {
                    Planned planned = context.getBean(Planned.class);
                    planned.call();
                    planned.call();
                    denied(planned::call);
                });
    }

    static class Planned {
        @RateLimited("planned")
        public void call() {}
    }

    @Test
    void limitsCallsByANamedPolicy() {
        withReports(reports -> {
            assertThat(reports.named()).isEqualTo("named");
            assertThat(reports.byInterface()).isEqualTo("by interface");

            RateLimitExceededException denied = denied(reports::named);
            assertThat(denied.policies()).containsExactly("login");
            assertThat(denied.decisions())
                    .containsExactly(new Decision(
                            false,
                            0,
                            Duration.ofSeconds(30).toNanos(),
                            Duration.ofMinutes(1).toNanos(),
                            Limit.parse("2/1m")));
            assertThat(denied).hasMessage("rate limit exceeded: login (retry after PT30S)");
            denied(reports::byInterface);
            assertThat(reports.free()).isEqualTo("free");
        });
    }

    @Test
    void keysByAnArgument() {
        withReports(reports -> {
            for (int i = 0; i < 3; i++) {
                reports.keyed("acme");
                reports.keyed("globex");
            }
            assertThat(denied(() -> reports.keyed("acme")).policies()).containsExactly("Reports.keyed");
            assertThat(reports.keyed("T(java.lang.Runtime).getRuntime()")).isNotEmpty();
        });
    }

    @Test
    void chargesNullToOneSharedBucketAndNotToNone() {
        withReports(reports -> {
            reports.weighted(new Report(6, null));
            denied(() -> reports.weighted(new Report(6, null)));
            reports.weighted(new Report(6, "acme"));
        });
    }

    @Test
    void costsWhatItsExpressionSaysAndAtLeastOne() {
        withReports(reports -> {
            reports.weighted(new Report(4, "acme"));
            reports.weighted(new Report(5, "acme"));
            reports.weighted(new Report(Integer.MIN_VALUE, "acme"));
            denied(() -> reports.weighted(new Report(0, "acme")));
            assertThat(denied(() -> reports.weighted(new Report(11, "acme"))))
                    .hasMessage("rate limit exceeded: Reports.weighted (more tokens than it ever grants)");
        });
    }

    @Test
    void costsWhatThePolicySays() {
        withReports(reports -> {
            reports.dear();
            reports.composed();
            denied(reports::dear);
        });
    }

    @Test
    void chargesRepeatedAnnotationsAllOrNothing() {
        withReports(reports -> {
            reports.both("alice");
            reports.both("alice");
            assertThat(denied(() -> reports.both("alice")).policies()).containsExactly("login");
            reports.both("bob");
            assertThat(denied(() -> reports.both("bob")).policies()).containsExactly("Reports.both");
            assertThat(denied(() -> reports.both("alice")).policies()).containsExactly("login", "Reports.both");
        });
    }

    @Test
    void waitsNoLongerThanItMay() {
        withReports(reports -> {
            long start = clock.nanos();
            reports.patient();
            reports.patient();
            assertThat(clock.nanos() - start).isEqualTo(Duration.ofSeconds(1).toNanos());
            reports.patient();
            assertThat(clock.nanos() - start).isEqualTo(Duration.ofSeconds(2).toNanos());
        });
    }

    @Test
    void deniesAtOnceWhereTheWaitWouldBeTooLong() {
        app.withBean(Impatient.class).run(context -> {
            Impatient bean = context.getBean(Impatient.class);
            bean.call();
            long start = clock.nanos();
            denied(bean::call);
            assertThat(clock.nanos()).isEqualTo(start);
            Thread.currentThread().interrupt();
            clock.advance(Duration.ofMillis(600));
            denied(bean::call);
            assertThat(Thread.interrupted()).isTrue();
        });
    }

    static class Impatient {
        @RateLimited(limit = "1/1s", maxWait = "500ms")
        public void call() {}
    }

    @Test
    void callsTheFallbackInPlaceOfADeniedCall() {
        withReports(reports -> {
            assertThat(reports.fallible("7")).isEqualTo("fresh 7");
            assertThat(reports.fallible("7")).isEqualTo("cached 7 [Reports.fallible]");
        });
    }

    @Test
    void readsPlaceholdersAndSeveralLimitsInPlace() {
        withReports(reports -> {
            for (int i = 0; i < 3; i++) {
                reports.placeholder();
            }
            assertThat(denied(reports::placeholder).decisions().get(0).limit()).isEqualTo(Limit.parse("3/1m"));
            clock.advance(Duration.ofMinutes(1));
            reports.placeholder();
            reports.placeholder();
            assertThat(denied(reports::placeholder).decisions().get(0).limit()).isEqualTo(Limit.parse("5/1h"));
        });
    }

    @Test
    void limitsAllMethodsOfATypeTogetherButThoseWithTheirOwn() {
        app.withBean(Guarded.class).run(context -> {
            Guarded guarded = context.getBean(Guarded.class);
            guarded.first();
            guarded.second();
            guarded.first();
            assertThat(denied(guarded::second).policies()).containsExactly("Guarded");
            guarded.own();
            assertThat(denied(guarded::own).policies()).containsExactly("Guarded.own");
            assertThat(guarded.hashCode()).isEqualTo(guarded.hashCode());
        });
    }

    @Test
    void worksWhereSpringsOwnProxiesAreOff() {
        app.withPropertyValues("spring.aop.auto=false").withBean(Reports.class).run(context -> {
            Reports reports = context.getBean(Reports.class);
            reports.dear();
            reports.dear();
            denied(reports::dear);
        });
    }

    static class Overridden extends Base {
        @Override
        @RateLimited("dear")
        public void call() {}

        @RateLimited("login")
        public void other() {}
    }

    static class Base implements AnnotatedContract {
        @Override
        @RateLimited("login")
        public void call() {}
    }

    interface AnnotatedContract {
        @RateLimited("login")
        void call();
    }

    @Test
    void takesTheNearestAnnotationAlone() {
        app.withBean(Base.class).run(context -> {
            Base base = context.getBean(Base.class);
            base.call();
            base.call();
            assertThat(denied(base::call).policies()).containsExactly("login");
        });
        app.withBean(Overridden.class).run(context -> {
            context.getBean(Overridden.class).call();
            assertThat(context.getBean(Overridden.class)).isNotNull();
            context.getBean(Overridden.class).call();
            assertThat(denied(context.getBean(Overridden.class)::call).policies())
                    .containsExactly("dear");
        });
    }

    static class Several {
        @RateLimited(limit = "2/1h")
        @RateLimited(limit = "4/1m", key = "#tenant")
        public void repeated(String tenant) {}

        @RateLimited(limit = "1/1h")
        public void over(String text) {}

        @RateLimited(limit = "1/1h")
        public void over(int number) {}

        @RateLimited(limit = "10/1m", tokens = "#cost")
        public void costs(Number cost) {}

        @RateLimited(value = "dear", key = "#list.?[#this > 3].![toString()]")
        public void selected(List<Integer> list) {}

        @RateLimited(value = "dear", key = "#report.tenant.length()")
        public void nullable(@Nullable Report report) {}
    }

    @Test
    void keepsLimitsInPlaceApart() {
        app.withBean(Several.class).run(context -> {
            Several several = context.getBean(Several.class);
            several.repeated("acme");
            several.repeated("acme");
            assertThat(denied(() -> several.repeated("acme")).policies()).containsExactly("Several.repeated");
            clock.advance(Duration.ofHours(1));
            several.over("");
            several.over(1);
            assertThat(denied(() -> several.over("")).policies()).containsExactly("Several.over(String)");
            assertThat(denied(() -> several.over(2)).policies()).containsExactly("Several.over(int)");
        });
    }

    @Test
    void roundsCostsUp() {
        app.withBean(Several.class).run(context -> {
            Several several = context.getBean(Several.class);
            for (int i = 0; i < 3; i++) {
                several.costs(new BigDecimal("2.5"));
            }
            assertThat(denied(() -> several.costs(1.0001)).decisions().get(0).remaining())
                    .isEqualTo(1);
            denied(() -> several.costs(BigInteger.ONE.shiftLeft(64)));
            several.costs(-3.5);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> several.costs(Double.NaN))
                    .withMessage("the tokens of policy Several.costs must be a number: NaN");
        });
    }

    @Test
    void readsElementsAndNullsInItsExpressions() {
        app.withBean(Several.class).run(context -> {
            Several several = context.getBean(Several.class);
            several.selected(List.of(1, 5));
            several.selected(List.of(5));
            denied(() -> several.selected(List.of(2, 5)));
            several.selected(List.of(4));
            several.nullable(null);
            several.nullable(new Report(1, null));
            denied(() -> several.nullable(null));
        });
    }

    interface Client {
        @RateLimited(value = "login", key = "#id")
        String get(String id);
    }

    @Test
    void limitsBeansThatAreProxiesAlready() {
        app.withBean(Client.class, () -> (Client) Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {Client.class},
                        (proxy, method, arguments) -> "got"))
                .run(context -> {
                    Client client = context.getBean(Client.class);
                    assertThat(client.get("1")).isEqualTo("got");
                    client.get("1");
                    denied(() -> client.get("1"));
                    client.get("2");
                });
    }

    @RateLimited(limit = "1/1h")
    static class InheritsFinals extends ApplicationObjectSupport {
        public void call() {}
    }

    @Test
    void doesNotMindWhatALimitedTypeInherits() {
        app.withBean(InheritsFinals.class).run(context -> {
            context.getBean(InheritsFinals.class).call();
            denied(context.getBean(InheritsFinals.class)::call);
        });
    }

    @Test
    void survivesSerialization() throws Exception {
        RateLimitExceededException denied = new RateLimitExceededException(List.of(new PolicyDecision(
                Policy.of("api", Limit.parse("1/1s")), new Decision(false, 0, 1, 1, Limit.parse("1/1s")))));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new ObjectOutputStream(bytes).writeObject(denied);
        Object read = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();

        assertThat(((RateLimitExceededException) read).violations()).isEqualTo(denied.violations());
    }

    static class Bare {
        @RateLimited(value = "login", key = "tenant")
        public void call(String tenant) {}
    }

    static class OwnFallback {
        @RateLimited(value = "login", fallback = "call")
        public void call() {}
    }

    static class TooDear {
        @RateLimited(value = "login", tokens = "3")
        public void call() {}
    }

    static class NegativeWait {
        @RateLimited(value = "login", maxWait = "-5s")
        public void call() {}
    }

    static class Unknown {
        @RateLimited("lgoin")
        public void call() {}
    }

    static class Neither {
        @RateLimited
        public void call() {}
    }

    static class BadLimit {
        @RateLimited(limit = "10 per second")
        public void call() {}
    }

    static class BadKey {
        @RateLimited(value = "login", key = "#tenannt")
        public void call(String tenant) {}
    }

    static class BadSyntax {
        @RateLimited(value = "login", key = "#tenant +")
        public void call(String tenant) {}
    }

    static class Dangerous {
        @RateLimited(value = "login", key = "T(java.lang.Runtime).getRuntime().toString()")
        public void call(String tenant) {}
    }

    static class BadWait {
        @RateLimited(value = "login", maxWait = "soon")
        public void call() {}
    }

    static class BadFallback {
        @RateLimited(value = "login", fallback = "missing")
        public String call() {
            return "";
        }
    }

    static class Private {
        @RateLimited("login")
        @SuppressWarnings("UnusedMethod")
        private void call() {}
    }

    static class Final {
        @RateLimited("login")
        public final void call() {}
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                Unknown.class,
                Neither.class,
                BadLimit.class,
                BadKey.class,
                BadSyntax.class,
                Dangerous.class,
                BadWait.class,
                BadFallback.class,
                Private.class,
                Final.class,
                Bare.class,
                OwnFallback.class,
                TooDear.class,
                NegativeWait.class
            })
    void stopsTheStartForAnAnnotationThatMeansNothing(Class<?> type) {
        String sentence = switch (type.getSimpleName()) {
            case "Unknown" -> "names the policy \"lgoin\", which is not one of: login, dear";
            case "Neither" -> "needs either the name of a policy or a limit, and not both";
            case "BadLimit" -> "has the limit \"10 per second\": not a limit: \"10 per second\"; write tokens/period";
            case "BadKey" -> "has the expression \"#tenannt\", but there is no parameter #tenannt; there are: #tenant";
            case "BadSyntax" -> "has the expression \"#tenant +\": ";
            case "Dangerous" -> "which may use the arguments only, not T(java.lang.Runtime)";
            case "BadWait" -> "has the maxWait \"soon\", which is no duration";
            case "BadFallback" -> "has the fallback \"missing\", but its type has no such method";
            case "Private" -> "a proxy cannot stand in front of a method that is private";
            case "Bare" -> "has the expression \"tenant\", where tenant is of nothing; an argument is written with a #";
            case "OwnFallback" -> "has the fallback \"call\", which is limited itself";
            case "TooDear" -> "costs 3 tokens, which is more than the limit 2/1m can ever grant";
            case "NegativeWait" -> "has the maxWait \"-5s\", which is no duration";
            default -> "a proxy cannot stand in front of a method that is final";
        };
        app.withInitializer(context ->
                        ((GenericApplicationContext) context).registerBean(type, bean -> bean.setLazyInit(true)))
                .run(context -> assertThat(context.getStartupFailure())
                        .isInstanceOf(InvalidRateLimitException.class)
                        .hasMessageStartingWith("@RateLimited on " + type.getName() + ".call ")
                        .hasMessageContaining(sentence));
    }

    @Test
    void listsThePoliciesToCodeThatAsksForAnother() {
        app.run(context -> {
            ConfiguredPolicies policies = context.getBean(ConfiguredPolicies.class);
            assertThat(policies.get("login").limits()).containsExactly(Limit.parse("2/1m"));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> policies.get("lgoin"))
                    .withMessage("no policy is named \"lgoin\"; there are: login, dear");
        });
    }

    @Test
    void saysWhatKindOfThingIsNotANumber() {
        app.withBean(NotANumber.class)
                .run(context -> assertThatExceptionOfType(IllegalArgumentException.class)
                        .isThrownBy(() -> context.getBean(NotANumber.class).call("secret"))
                        .withMessage("the tokens of policy login must be a number: java.lang.String"));
    }

    static class NotANumber {
        @RateLimited(value = "login", tokens = "#text")
        public void call(String text) {}
    }
}
