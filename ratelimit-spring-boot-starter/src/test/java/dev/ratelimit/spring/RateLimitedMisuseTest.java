package dev.ratelimit.spring;

import static dev.ratelimit.spring.LimitedApp.denied;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Stream;
import kotlin.coroutines.Continuation;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.support.GenericApplicationContext;
import reactor.core.publisher.ConnectableFlux;
import reactor.core.publisher.Flux;

/** What can't work does not start, and says what would. */
@ExtendWith(OutputCaptureExtension.class)
class RateLimitedMisuseTest {
    private final LimitedApp app = new LimitedApp();

    static Stream<Arguments> misuses() {
        return Stream.of(
                Arguments.of(Unknown.class, "names the policy \"lgoin\", which is not one of: login, dear"),
                Arguments.of(Neither.class, "needs either the name of a policy or a limit, and not both"),
                Arguments.of(Both.class, "needs either the name of a policy or a limit, and not both"),
                Arguments.of(
                        BadLimit.class,
                        "has the limit \"10 per second\": not a limit: \"10 per second\"; write tokens/period"),
                Arguments.of(
                        BadKey.class,
                        "has the expression \"#tenannt\", but there is no parameter #tenannt; there are: #tenant"),
                Arguments.of(BadSyntax.class, "has the expression \"#tenant +\": "),
                Arguments.of(
                        Bare.class,
                        "has the expression \"tenant\", where tenant is of nothing; an argument is written with a #"),
                Arguments.of(Types.class, "which may use the arguments only, not T(java.lang.Runtime)"),
                Arguments.of(Beans.class, "which may use the arguments only, not @environment"),
                Arguments.of(Constructors.class, "which may use the arguments only, not new java.io.File("),
                Arguments.of(Assigns.class, "which may use the arguments only, not #tenant='acme'"),
                Arguments.of(TooDear.class, "costs 3 tokens, which is more than the limit 2/1m can ever grant"),
                Arguments.of(BadWait.class, "has the maxWait \"soon\", which is no duration; write it as 500ms or 2s"),
                Arguments.of(NegativeWait.class, "has the maxWait \"-5s\", which is no duration"),
                Arguments.of(BadFallback.class, "has the fallback \"missing\", but its type has no such method"),
                Arguments.of(OwnFallback.class, "has the fallback \"call\", which is limited itself"),
                Arguments.of(
                        ThrowingFallback.class,
                        "has the fallback \"other\", which throws IOException, but the method itself does not declare"),
                Arguments.of(Private.class, "a proxy cannot stand in front of a method that is private"),
                Arguments.of(Final.class, "a proxy cannot stand in front of a method that is final"),
                Arguments.of(Static.class, "a proxy cannot stand in front of a method that is static"),
                Arguments.of(
                        FinalClass.class,
                        "a proxy cannot stand in front of a class that is final; make it not final, or annotate a bean"),
                Arguments.of(Recorded.class, "a proxy cannot stand in front of a class that is final"),
                Arguments.of(Suspending.class, "is on a suspending function, which is not supported"),
                Arguments.of(
                        Publishing.class,
                        "returns a ConnectableFlux, which calls nothing before someone subscribes; declare it as a Mono"
                                + " or a Flux of Reactor"));
    }

    @ParameterizedTest
    @MethodSource("misuses")
    void stopsTheStart(Class<?> type, String sentence) {
        app.runner
                .withInitializer(context ->
                        ((GenericApplicationContext) context).registerBean(type, bean -> bean.setLazyInit(true)))
                .run(context -> assertThat(context.getStartupFailure())
                        .isInstanceOf(InvalidRateLimitException.class)
                        .hasMessageStartingWith("@RateLimited on " + type.getName() + ".call ")
                        .hasMessageContaining(sentence));
    }

    static class Unknown {
        @RateLimited("lgoin")
        public void call() {}
    }

    static class Neither {
        @RateLimited
        public void call() {}
    }

    static class Both {
        @RateLimited(policy = "login", limit = "1/1s")
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

    static class Bare {
        @RateLimited(value = "login", key = "tenant")
        public void call(String tenant) {}
    }

    static class Types {
        @RateLimited(value = "login", key = "T(java.lang.Runtime).getRuntime().toString()")
        public void call(String tenant) {}
    }

    static class Beans {
        @RateLimited(value = "login", key = "@environment.toString()")
        public void call(String tenant) {}
    }

    static class Constructors {
        @RateLimited(value = "login", key = "new java.io.File(#tenant)")
        public void call(String tenant) {}
    }

    static class Assigns {
        @RateLimited(value = "login", key = "#tenant = 'acme'")
        public void call(String tenant) {}
    }

    static class TooDear {
        @RateLimited(value = "login", tokens = "3")
        public void call() {}
    }

    static class BadWait {
        @RateLimited(value = "login", maxWait = "soon")
        public void call() {}
    }

    static class NegativeWait {
        @RateLimited(value = "login", maxWait = "-5s")
        public void call() {}
    }

    static class BadFallback {
        @RateLimited(value = "login", fallback = "missing")
        public String call() {
            return "";
        }
    }

    static class OwnFallback {
        @RateLimited(value = "login", fallback = "call")
        public void call() {}
    }

    static class ThrowingFallback {
        @RateLimited(value = "login", fallback = "other")
        public void call() {}

        public void other() throws IOException {}
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

    static class Static {
        @RateLimited("login")
        public static void call() {}
    }

    static final class FinalClass {
        @RateLimited("login")
        public void call() {}
    }

    record Recorded() {
        @RateLimited("login")
        public void call() {}
    }

    static class Suspending {
        @RateLimited("login")
        public @Nullable Object call(String id, Continuation<String> continuation) {
            return null;
        }
    }

    static class Publishing {
        @RateLimited("login")
        public ConnectableFlux<String> call() {
            return Flux.just("never").publish();
        }
    }

    interface Contract {
        void inContract(String text);
    }

    static class InNoInterface implements Contract {
        @Override
        @RateLimited("login")
        public void inContract(String text) {}

        @RateLimited("login")
        public void call() {}
    }

    @Test
    void stopsTheStartForAMethodThatNoInterfaceHasWhereProxiesNeedOne() {
        app.runner
                .withPropertyValues("spring.aop.proxy-target-class=false")
                .withBean(InNoInterface.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .isInstanceOf(InvalidRateLimitException.class)
                        .hasMessage("@RateLimited on " + InNoInterface.class.getName() + ".call would be ignored, as a"
                                + " proxy cannot stand in front of a method that is in no interface, while"
                                + " spring.aop.proxy-target-class is false"));
    }

    interface Generic<T> {
        void call(T argument);
    }

    static final class FinalWithInterface implements Generic<String> {
        @Override
        @RateLimited("login")
        public void call(String argument) {}
    }

    @Test
    @SuppressWarnings("unchecked")
    void limitsAFinalClassByItsInterfaceWhereProxiesNeedOne(CapturedOutput output) {
        app.runner
                .withPropertyValues("spring.aop.proxy-target-class=false")
                .withBean(FinalWithInterface.class)
                .run(context -> {
                    Generic<String> bean = context.getBean(Generic.class);
                    bean.call("1");
                    bean.call("2");
                    denied(() -> bean.call("3"));
                });
        assertThat(output).doesNotContain("RATELIMIT-W07"); // for the call of the bridge method
    }

    @Test
    void stopsTheStartForAFinalClassBeforeSpringFailsToMakeAProxy() {
        app.runner
                .withBean(FinalClass.class)
                .run(context -> assertThat(context.getStartupFailure())
                        .rootCause()
                        .isInstanceOf(InvalidRateLimitException.class)
                        .hasMessageContaining("a proxy cannot stand in front of a class that is final"));
    }

    static class CallsItself {
        @RateLimited("login")
        public String limited(String id) {
            return id;
        }

        public String direct() {
            return limited("1");
        }

        public Supplier<String> inLambda() {
            return () -> limited("2");
        }

        public CompletableFuture<String> byReference() {
            return CompletableFuture.completedFuture("3").thenApply(this::limited);
        }
    }

    @Test
    void warnsOfABeanThatCallsALimitedMethodOnItself(CapturedOutput output) {
        app.runner.withBean(CallsItself.class).run(context -> {
            for (String caller : new String[] {"direct", "inLambda", "byReference"}) {
                assertThat(output)
                        .containsOnlyOnce("RATELIMIT-W07 " + CallsItself.class.getName() + "." + caller
                                + " calls @RateLimited limited on its own object, past the proxy: such a call is not"
                                + " limited; move what is limited to a bean of its own");
            }
        });
    }

    static class CallsItsProxy {
        private @Nullable CallsItsProxy self;

        public void setSelf(CallsItsProxy self) {
            this.self = self;
        }

        @RateLimited("login")
        public void limited() {}

        public void outer() {
            if (self != null) {
                self.limited();
            }
        }
    }

    static class CallsAnother {
        @RateLimited("login")
        public void limited() {}

        public void outer(CallsAnother other) {
            other.limited();
        }
    }

    static class CallsWhatItGets {
        @RateLimited("login")
        public void limited() {}

        public void outer(Supplier<CallsWhatItGets> self) {
            self.get().limited();
        }
    }

    @Test
    void saysNothingWhereItMayBeTheProxyThatIsCalled(CapturedOutput output) {
        app.runner
                .withBean(CallsItsProxy.class)
                .withBean(CallsAnother.class)
                .withBean(CallsWhatItGets.class)
                .run(context -> assertThat(context).hasNotFailed());
        assertThat(output).doesNotContain("RATELIMIT-W07");
    }
}
