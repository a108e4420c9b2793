package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.RateLimiter;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** What becomes of a call when the limiter cannot be asked, and its policy denies then. */
class UnavailableCallTest {
    private final LimitedApp app = new LimitedApp();
    private final AbsentLimiter limiter = new AbsentLimiter(app.clock);

    static class Calls {
        @RateLimited("login")
        public String value() {
            return "called";
        }

        @RateLimited(policy = "login", maxWait = "1m")
        public String waiting() {
            return "called";
        }

        @RateLimited(policy = "login", fallback = "fallback")
        public String fallingBack() {
            return "called";
        }

        String fallback(RateLimitExceededException exceeded) {
            return exceeded.isUnavailable() ? "unavailable" : "exceeded";
        }

        @RateLimited("login")
        @RateLimited("dear")
        public String both() {
            return "called";
        }

        @RateLimited("login")
        public CompletableFuture<String> future() {
            return CompletableFuture.completedFuture("called");
        }

        @RateLimited(policy = "login", maxWait = "1m")
        public Mono<String> mono() {
            return Mono.just("called");
        }
    }

    private void with(Consumer<Calls> test) {
        limiter.leave("login");
        app.runner
                .withBean(RateLimiter.class, () -> limiter)
                .withBean(Calls.class)
                .run(context -> {
                    test.accept(context.getBean(Calls.class));
                });
    }

    @Test
    void isDeniedByAnExceptionThatSaysSo() {
        with(calls -> {
            RateLimitExceededException denied = LimitedApp.denied(calls::value);
            assertThat(denied.isUnavailable()).isTrue();
            assertThat(denied).hasMessage("rate limit unavailable: login (retry after PT1.5S)");
        });
    }

    @Test
    void doesNotWaitForTokensThatNobodyKnowsOf() {
        with(calls -> {
            long before = app.clock.nanos();
            assertThat(LimitedApp.denied(calls::waiting).isUnavailable()).isTrue();
            assertThat(LimitedApp.denied(() -> calls.mono().block()).isUnavailable())
                    .isTrue();
            assertThat(app.clock.nanos()).isEqualTo(before);
        });
    }

    @Test
    void isAnsweredByItsFallback() {
        with(calls -> assertThat(calls.fallingBack()).isEqualTo("unavailable"));
    }

    @Test
    void isDeniedByItsFuture() {
        with(calls -> assertThat(calls.future())
                .failsWithin(Duration.ofSeconds(10))
                .withThrowableOfType(ExecutionException.class)
                .havingCause()
                .isInstanceOfSatisfying(
                        RateLimitExceededException.class,
                        denied -> assertThat(denied.isUnavailable()).isTrue()));
    }

    @Test
    void isOverALimitThatIsKnownToBeExceeded() {
        with(calls -> {
            limiter.comeBack("login");
            calls.both();
            calls.both();
            limiter.leave("dear");
            RateLimitExceededException denied = LimitedApp.denied(calls::both);
            assertThat(denied.isUnavailable()).isFalse();
            assertThat(denied)
                    .hasMessage("rate limit exceeded: login (retry after PT30S)"
                            + " dear (unavailable, retry after PT1.5S)");
        });
    }
}
