package dev.ratelimit.spring;

import static dev.ratelimit.spring.LimitedApp.denied;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.ratelimit.Decision;
import dev.ratelimit.RateLimiter;
import java.time.Duration;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

class RateLimitChargesTest {
    private final LimitedApp app = new LimitedApp();

    static class Model {
        @RateLimited(policy = "llm", key = "#tenant", tokens = "40")
        public RateLimitCharges ask(String tenant, long used, RateLimitCharges charges) {
            charges.settle(used);
            return charges;
        }

        @RateLimited(policy = "llm", key = "#tenant", tokens = "40")
        public void fails(String tenant, RateLimitCharges charges) {
            try {
                throw new IllegalStateException("broken");
            } finally {
                charges.settle(0);
            }
        }

        @RateLimited(policy = "llm", key = "#tenant", tokens = "40")
        public void failsUnsettled(String tenant, RateLimitCharges charges) {
            throw new IllegalStateException("broken");
        }

        @RateLimited(policy = "llm", key = "#tenant", tokens = "40")
        @RateLimited(policy = "shadow", key = "#tenant", tokens = "40")
        @RateLimited(policy = "calls", key = "#tenant")
        public void several(String tenant, long used, RateLimitCharges charges) {
            charges.settle("llm", used);
            charges.settle("shadow", used + 1);
            charges.settle("login", used);
        }

        @RateLimited(policy = "llm", key = "#tenant", tokens = "40")
        public Mono<String> mono(String tenant, long used, RateLimitCharges charges) {
            return Mono.just("answer").doOnTerminate(() -> charges.settle(used));
        }

        @RateLimited(policy = "llm", key = "#tenant", tokens = "40", fallback = "cached")
        public RateLimitCharges orCached(String tenant, RateLimitCharges charges) {
            return charges;
        }

        public RateLimitCharges cached(String tenant, RateLimitCharges charges) {
            return charges;
        }
    }

    /** How many tokens a tenant has left. */
    private interface Tokens {
        long left(String policy, String tenant);
    }

    private void with(BiConsumer<Model, Tokens> test) {
        app.runner
                .withPropertyValues(
                        "ratelimit.policies.llm.limits=100/100s",
                        "ratelimit.policies.calls.limits=5/1m",
                        "ratelimit.policies.shadow.limits=100/100s",
                        "ratelimit.policies.shadow.mode=shadow")
                .withBean(Model.class)
                .run(context -> {
                    ConfiguredPolicies policies = context.getBean(ConfiguredPolicies.class);
                    RateLimiter limiter = context.getBean(RateLimiter.class);
                    test.accept(context.getBean(Model.class), (name, tenant) -> {
                        Decision next = limiter.peek(policies.get(name), Keys.of("argument", tenant), 1);
                        return next.remaining() + (next.allowed() ? 1 : 0);
                    });
                });
    }

    @Test
    void giveBackWhatWasNotUsed() {
        with((model, tokens) -> {
            model.ask("acme", 10, RateLimitCharges.NONE);
            assertThat(tokens.left("llm", "acme")).isEqualTo(90);
            assertThat(tokens.left("llm", "globex")).isEqualTo(100);
        });
    }

    @Test
    void takeWhatWasUsedBeyondThatAndLeaveADebt() {
        with((model, tokens) -> {
            model.ask("acme", 150, RateLimitCharges.NONE);
            assertThat(denied(() -> model.ask("acme", 1, RateLimitCharges.NONE))
                            .decisions()
                            .get(0)
                            .retryAfterNanos())
                    .isEqualTo(Duration.ofSeconds(90).toNanos());
        });
    }

    @Test
    void areSettledAlsoWhereTheMethodFails() {
        with((model, tokens) -> {
            assertThatIllegalStateException().isThrownBy(() -> model.fails("acme", RateLimitCharges.NONE));
            assertThat(tokens.left("llm", "acme")).isEqualTo(100);
            assertThatIllegalStateException().isThrownBy(() -> model.failsUnsettled("acme", RateLimitCharges.NONE));
            assertThat(tokens.left("llm", "acme")).isEqualTo(60);
        });
    }

    @Test
    void areOfUseAfterTheCallAndCanBeSettledAnew() {
        with((model, tokens) -> {
            RateLimitCharges charges = model.ask("acme", 10, RateLimitCharges.NONE);
            charges.settle(30);
            assertThat(tokens.left("llm", "acme")).isEqualTo(70);
            charges.settle(0);
            assertThat(tokens.left("llm", "acme")).isEqualTo(100);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> charges.settle(-1))
                    .withMessage("actualTokens must not be negative: -1");
        });
    }

    @Test
    void areSettledByPolicyThoseThatOnlyLookOnToo() {
        with((model, tokens) -> {
            model.several("acme", 10, RateLimitCharges.NONE);
            assertThat(tokens.left("llm", "acme")).isEqualTo(90);
            assertThat(tokens.left("shadow", "acme")).isEqualTo(89);
            assertThat(tokens.left("calls", "acme")).isEqualTo(4);
        });
    }

    @Test
    void areOfEachSubscriptionItsOwn() {
        with((model, tokens) -> {
            Mono<String> mono = model.mono("acme", 10, RateLimitCharges.NONE);
            mono.block();
            mono.block();
            assertThat(tokens.left("llm", "acme")).isEqualTo(80);
        });
    }

    @Test
    void areNothingForAFallback() {
        with((model, tokens) -> {
            assertThat(model.orCached("acme", RateLimitCharges.NONE)).isNotSameAs(RateLimitCharges.NONE);
            assertThat(model.orCached("acme", RateLimitCharges.NONE)).isNotSameAs(RateLimitCharges.NONE);
            assertThat(model.orCached("acme", RateLimitCharges.NONE)).isSameAs(RateLimitCharges.NONE);
        });
    }

    @Test
    void areNothingWithoutAProxy() {
        RateLimitCharges charges = new Model().ask("acme", 10, RateLimitCharges.NONE);
        charges.settle("llm", 20);
        assertThat(charges).isSameAs(RateLimitCharges.NONE).hasToString("RateLimitCharges.NONE");
    }
}
