package dev.ratelimit.spring;

import static dev.ratelimit.spring.LimitedApp.denied;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.context.support.ApplicationObjectSupport;
import org.springframework.core.annotation.AliasFor;

class RateLimitedTest {
    private final LimitedApp app = new LimitedApp();

    interface Contract {
        @RateLimited("login")
        String byInterface();
    }

    static class Reports implements Contract {
        @RateLimited("login")
        public String named() {
            return "named";
        }

        @RateLimited("dear")
        public void dear() {}

        @RateLimited(policy = "login", key = "#user")
        @RateLimited(limit = "3/1m")
        public void both(String user) {}

        @RateLimited(limit = "${export.limit}, 5/1h")
        public void placeholder() {}

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

    @Test
    void holdsCallsOutsideOfRequestsToTheStrictestPlan() {
        app.runner
                .withPropertyValues(
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
        app.with(Reports.class, reports -> {
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
    void costsWhatThePolicySays() {
        app.with(Reports.class, reports -> {
            reports.dear();
            reports.dear();
            denied(reports::dear);
        });
    }

    @Test
    void chargesRepeatedAnnotationsAllOrNothing() {
        app.with(Reports.class, reports -> {
            reports.both("alice");
            reports.both("alice");
            assertThat(denied(() -> reports.both("alice")).policies()).containsExactly("login");
            reports.both("bob");
            assertThat(denied(() -> reports.both("bob")).policies()).containsExactly("Reports.both");
            assertThat(denied(() -> reports.both("alice")).policies()).containsExactly("login", "Reports.both");
        });
    }

    @Test
    void readsPlaceholdersAndSeveralLimitsInPlace() {
        app.with(Reports.class, reports -> {
            for (int i = 0; i < 3; i++) {
                reports.placeholder();
            }
            assertThat(denied(reports::placeholder).decisions().get(0).limit()).isEqualTo(Limit.parse("3/1m"));
            app.clock.advance(Duration.ofMinutes(1));
            reports.placeholder();
            reports.placeholder();
            assertThat(denied(reports::placeholder).decisions().get(0).limit()).isEqualTo(Limit.parse("5/1h"));
        });
    }

    @Test
    void limitsAllMethodsOfATypeTogetherButThoseWithTheirOwn() {
        app.runner.withBean(Guarded.class).run(context -> {
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
        app.runner
                .withPropertyValues("spring.aop.auto=false")
                .withBean(Reports.class)
                .run(context -> {
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
        app.runner.withBean(Base.class).run(context -> {
            Base base = context.getBean(Base.class);
            base.call();
            base.call();
            assertThat(denied(base::call).policies()).containsExactly("login");
        });
        app.runner.withBean(Overridden.class).run(context -> {
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
    }

    @Test
    void keepsLimitsInPlaceApart() {
        app.runner.withBean(Several.class).run(context -> {
            Several several = context.getBean(Several.class);
            several.repeated("acme");
            several.repeated("acme");
            assertThat(denied(() -> several.repeated("acme")).policies()).containsExactly("Several.repeated");
            app.clock.advance(Duration.ofHours(1));
            several.over("");
            several.over(1);
            assertThat(denied(() -> several.over("")).policies()).containsExactly("Several.over(String)");
            assertThat(denied(() -> several.over(2)).policies()).containsExactly("Several.over(int)");
        });
    }

    @RateLimited(limit = "1/1s")
    @Retention(RetentionPolicy.RUNTIME)
    @interface ForEach {
        @AliasFor(annotation = RateLimited.class, attribute = "key")
        String value();

        @AliasFor(annotation = RateLimited.class, attribute = "limit")
        String limit() default "8/1m";

        @AliasFor(annotation = RateLimited.class, attribute = "tokens")
        String costing() default "4";

        @AliasFor(annotation = RateLimited.class, attribute = "maxWait")
        String patience() default "";

        @AliasFor(annotation = RateLimited.class, attribute = "fallback")
        String otherwise() default "";
    }

    static class Composed {
        @Expensive("dear")
        public void named() {}

        @ForEach("#tenant")
        public void inPlace(String tenant) {}

        @ForEach(value = "#tenant", limit = "5/1m", costing = "#cost", patience = "1m", otherwise = "later")
        public String all(String tenant, int cost) {
            return "now";
        }

        public String later(String tenant, int cost) {
            return "later";
        }

        @Expensive("dear")
        @RateLimited("login")
        public void beside() {}
    }

    @Test
    void standsBehindAnAnnotationOfTheApplicationsOwn() {
        app.with(Composed.class, composed -> {
            composed.named();
            composed.named();
            assertThat(denied(composed::named).policies()).containsExactly("dear");

            composed.inPlace("acme");
            composed.inPlace("acme");
            assertThat(denied(() -> composed.inPlace("acme")).policies()).containsExactly("Composed.inPlace");
            composed.inPlace("globex");

            assertThat(composed.all("acme", 5)).isEqualTo("now");
            long start = app.clock.nanos();
            assertThat(composed.all("acme", 5)).isEqualTo("now");
            assertThat(app.clock.nanos() - start)
                    .isEqualTo(Duration.ofMinutes(1).toNanos());
            assertThat(composed.all("acme", 6)).isEqualTo("later");
        });
    }

    @Test
    void holdsBesideAnAnnotationOfTheApplicationsOwn() {
        app.with(Composed.class, composed -> {
            composed.beside();
            composed.beside();
            assertThat(denied(composed::beside).policies()).containsExactlyInAnyOrder("dear", "login");
        });
    }

    @RateLimited("dear")
    interface Annotated {
        void byType();

        @RateLimited("login")
        void byMethod();
    }

    static class Annotates implements Annotated {
        @Override
        public void byType() {}

        @Override
        public void byMethod() {}
    }

    static class Inherits extends Annotates {}

    @Test
    void standsOnInterfacesAndIsInherited() {
        app.with(Inherits.class, inherits -> {
            inherits.byType();
            inherits.byType();
            assertThat(denied(inherits::byType).policies()).containsExactly("dear");
            inherits.byMethod();
            inherits.byMethod();
            assertThat(denied(inherits::byMethod).policies()).containsExactly("login");
        });
    }

    @RateLimited("dear")
    static class ByType extends Base {
        @RateLimited("login")
        public void ownMethod() {}
    }

    @Test
    void prefersAMethodThatIsOverriddenToTheTypeThatOverrides() {
        app.with(ByType.class, byType -> {
            byType.ownMethod();
            byType.call();
            assertThat(denied(byType::call).policies()).containsExactly("login");
        });
    }

    interface Client {
        @RateLimited(value = "login", key = "#id")
        String get(String id);
    }

    @Test
    void limitsBeansThatAreProxiesAlready() {
        app.runner
                .withBean(Client.class, () -> (Client) Proxy.newProxyInstance(
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

    interface Catalog {
        @RateLimited(limit = "1/1m")
        String get();
    }

    @RateLimited(limit = "1/1m")
    interface Search extends Catalog {
        String find();
    }

    @Test
    void namesLimitsOfWhatIsProxiedAlreadyByTheInterface() {
        app.runner
                .withBean(Search.class, () -> (Search) Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {Search.class},
                        (proxy, method, arguments) -> method.getName()))
                .run(context -> {
                    Search search = context.getBean(Search.class);
                    assertThat(search.get()).isEqualTo("get");
                    assertThat(denied(search::get).policies()).containsExactly("Search.get");
                    assertThat(search.find()).isEqualTo("find");
                    assertThat(denied(search::find).policies()).containsExactly("Search");
                });
    }

    @RateLimited(limit = "1/1h")
    static class InheritsFinals extends ApplicationObjectSupport {
        public void call() {}
    }

    @Test
    void doesNotMindWhatALimitedTypeInherits() {
        app.runner.withBean(InheritsFinals.class).run(context -> {
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

    @Test
    void listsThePoliciesToCodeThatAsksForAnother() {
        app.runner.run(context -> {
            ConfiguredPolicies policies = context.getBean(ConfiguredPolicies.class);
            assertThat(policies.get("login").limits()).containsExactly(Limit.parse("2/1m"));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> policies.get("lgoin"))
                    .withMessage("no policy is named \"lgoin\"; there are: login, dear");
        });
    }
}
