package dev.ratelimit.spring;

import static dev.ratelimit.spring.LimitedApp.denied;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.reactivestreams.Publisher;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

class RateLimitedReturnTest {
    private final LimitedApp app = new LimitedApp();

    static class Calls {
        private final AtomicInteger made = new AtomicInteger();

        public int made() {
            return made.get();
        }

        private CompletableFuture<Integer> answer() {
            return CompletableFuture.completedFuture(made.incrementAndGet());
        }

        @RateLimited(limit = "2/1m")
        public CompletableFuture<Integer> future() {
            return answer();
        }

        @RateLimited(limit = "2/1m")
        public CompletionStage<Integer> stage() {
            return answer();
        }

        @RateLimited(limit = "2/1m")
        public Future<Integer> plainFuture() {
            return answer();
        }

        @RateLimited(limit = "2/1m", fallback = "none")
        public CompletableFuture<Integer> futureOrNone() {
            return answer();
        }

        public CompletableFuture<Integer> none() {
            return CompletableFuture.completedFuture(0);
        }

        @RateLimited(limit = "2/1m")
        public Mono<Integer> mono() {
            return Mono.just(made.incrementAndGet());
        }

        @RateLimited(limit = "2/1m", fallback = "noMono")
        public Mono<Integer> monoOrNone() {
            return Mono.fromFuture(answer());
        }

        public Mono<Integer> noMono(RateLimitExceededException exceeded) {
            return Mono.just(0);
        }

        @RateLimited(limit = "2/1m")
        public Flux<Integer> flux() {
            return Flux.just(made.incrementAndGet(), made.get());
        }

        @RateLimited(limit = "2/1m")
        public Publisher<Integer> publisher() {
            return Mono.just(made.incrementAndGet());
        }

        @RateLimited(limit = "2/1m")
        public Mono<Integer> broken() {
            throw new IllegalStateException("broken");
        }

        @RateLimited(limit = "1/1s", key = "#id", maxWait = "1m")
        public Mono<String> patientMono(String id) {
            return Mono.just(id + made.incrementAndGet());
        }

        @RateLimited(limit = "1/1s", key = "#id", maxWait = "1m")
        public Flux<String> patientFlux(String id) {
            return Flux.just(id, id);
        }
    }

    @Test
    void failsAFutureInPlaceOfThrowing() {
        app.with(Calls.class, calls -> {
            assertThat(calls.future()).isCompletedWithValue(1);
            assertThat(calls.future()).isCompletedWithValue(2);
            assertThat(calls.future())
                    .isCompletedExceptionally()
                    .failsWithin(Duration.ZERO)
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOf(RateLimitExceededException.class);
            assertThat(calls.stage()).isCompletedWithValue(3);
            assertThat(calls.stage()).isCompletedWithValue(4);
            assertThat(calls.stage().toCompletableFuture()).isCompletedExceptionally();
        });
    }

    @Test
    void failsWhateverKindOfFutureThatIs() {
        app.with(Calls.class, calls -> {
            assertThat(calls.plainFuture()).isDone();
            assertThat(calls.plainFuture()).isDone();
            assertThat((CompletableFuture<Integer>) calls.plainFuture()).isCompletedExceptionally();
        });
    }

    @Test
    void takesTheFallbacksFuture() {
        app.with(Calls.class, calls -> {
            assertThat(calls.futureOrNone()).isCompletedWithValue(1);
            assertThat(calls.futureOrNone()).isCompletedWithValue(2);
            assertThat(calls.futureOrNone()).isCompletedWithValue(0);
        });
    }

    @Test
    void decidesOnEachSubscriptionAndNotBefore() {
        app.with(Calls.class, calls -> {
            Mono<Integer> mono = calls.mono();
            calls.mono();
            calls.mono();
            assertThat(calls.made()).isZero();
            assertThat(mono.block()).isEqualTo(1);
            assertThat(mono.block()).isEqualTo(2);
            assertThat(denied(mono::block).policies()).containsExactly("Calls.mono");
            assertThat(calls.made()).isEqualTo(2);

            Flux<Integer> flux = calls.flux();
            assertThat(flux.collectList().block()).containsExactly(3, 3);
            assertThat(flux.collectList().block()).containsExactly(4, 4);
            denied(flux::blockLast);
            denied(Flux.from(calls.flux())::blockLast);

            Flux<Integer> published = Flux.from(calls.publisher());
            assertThat(published.blockLast()).isEqualTo(5);
            published.blockLast();
            denied(published::blockLast);
        });
    }

    @Test
    void takesTheFallbacksPublisherAndPassesOnWhatIsThrown() {
        app.with(Calls.class, calls -> {
            Mono<Integer> mono = calls.monoOrNone();
            mono.block();
            mono.block();
            assertThat(mono.block()).isZero();
            assertThat(calls.broken()
                            .onErrorResume(IllegalStateException.class, e -> Mono.just(-1))
                            .block())
                    .isEqualTo(-1);
        });
    }

    @Test
    void waitsForTheTokensOfASubscription() {
        app.with(Calls.class, calls -> {
            long start = app.clock.nanos();
            Mono<String> mono = calls.patientMono("a");
            assertThat(mono.block()).isEqualTo("a1");
            assertThat(app.clock.nanos()).isEqualTo(start);
            assertThat(mono.block()).isEqualTo("a2");
            assertThat(app.clock.nanos() - start)
                    .isEqualTo(Duration.ofSeconds(1).toNanos());
            Flux<String> flux = calls.patientFlux("b");
            flux.blockLast();
            assertThat(flux.collectList().block()).containsExactly("b", "b");
            assertThat(app.clock.nanos() - start)
                    .isEqualTo(Duration.ofSeconds(2).toNanos());
        });
    }

    @Test
    void waitsOnTheSystemsClockToo() {
        LimitedApp.withoutClock().withBean(Quick.class).run(context -> {
            Mono<Long> mono = context.getBean(Quick.class).now();
            long first = Objects.requireNonNull(mono.block());
            long second = Objects.requireNonNull(mono.block());
            assertThat(second - first).isGreaterThan(Duration.ofMillis(40).toNanos());
        });
    }

    static class Quick {
        @RateLimited(limit = "1/50ms", maxWait = "10s")
        public Mono<Long> now() {
            return Mono.fromSupplier(System::nanoTime);
        }
    }

    @Test
    void blocksNoThreadOfReactors() {
        CountDownLatch waits = new CountDownLatch(1);
        CountDownLatch over = new CountDownLatch(1);
        AtomicBoolean blocked = new AtomicBoolean();
        NanoClock clock = new NanoClock() {
            @Override
            public long nanos() {
                return 0;
            }

            @Override
            public void sleep(long nanos) throws InterruptedException {
                blocked.set(Schedulers.isInNonBlockingThread());
                waits.countDown();
                over.await();
            }
        };
        LimitedApp.withoutClock()
                .withBean(NanoClock.class, () -> clock)
                .withBean(Calls.class)
                .run(context -> {
                    Mono<String> mono = context.getBean(Calls.class).patientMono("a");
                    Mono<String> onReactors = mono.subscribeOn(Schedulers.parallel());
                    assertThat(onReactors.block()).isEqualTo("a1");
                    CompletableFuture<@Nullable String> second = onReactors.toFuture();
                    assertThat(waits.await(10, TimeUnit.SECONDS)).isTrue();
                    assertThat(second).isNotDone();
                    over.countDown();
                    assertThat(second.get(10, TimeUnit.SECONDS)).isEqualTo("a2");
                    assertThat(blocked).isFalse();
                });
    }

    @Test
    void givesItsPlaceBackWhenASubscriptionIsCancelled() {
        LimitedApp.withoutClock()
                .withPropertyValues("ratelimit.policies.slow.limits=1/1h")
                .withBean(Slow.class)
                .run(context -> {
                    Slow slow = context.getBean(Slow.class);
                    RateLimiter limiter = context.getBean(RateLimiter.class);
                    Policy policy = context.getBean(ConfiguredPolicies.class).get("slow");
                    slow.call().block();
                    Disposable waiting = slow.call().subscribe();
                    assertThat(limiter.peek(policy, Keys.GLOBAL, 1).retryAfterNanos())
                            .isGreaterThan(Duration.ofHours(1).toNanos());
                    waiting.dispose();
                    assertThat(limiter.peek(policy, Keys.GLOBAL, 1).retryAfterNanos())
                            .isLessThanOrEqualTo(Duration.ofHours(1).toNanos());
                });
    }

    /** Of those who give up waiting, the first makes the second be paid for earlier, and so less of that comes back. */
    @Test
    void givesBackNoMoreOfAPlaceThanIsLeftOfIt() {
        LimitedApp app = new LimitedApp();
        NanoClock clock = new NanoClock() {
            @Override
            public long nanos() {
                return app.clock.nanos();
            }

            @Override
            public void sleep(long nanos) throws InterruptedException {
                new CountDownLatch(1).await(); // until it is cancelled
            }
        };
        LimitedApp.withoutClock()
                .withPropertyValues("ratelimit.policies.slow.limits=5/5h", "ratelimit.policies.slow.tokens=5")
                .withBean(NanoClock.class, () -> clock)
                .withBean(Slow.class)
                .run(context -> {
                    Slow slow = context.getBean(Slow.class);
                    RateLimiter limiter = context.getBean(RateLimiter.class);
                    Policy policy = context.getBean(ConfiguredPolicies.class).get("slow");
                    slow.callPatiently().block();
                    Disposable first = slow.callPatiently().subscribe();
                    Disposable second = slow.callPatiently().subscribe();
                    first.dispose();
                    app.clock.advance(Duration.ofHours(7));
                    assertThat(limiter.tryConsume(policy, Keys.GLOBAL, 2).allowed())
                            .isTrue();
                    app.clock.advance(Duration.ofHours(1));
                    second.dispose();
                    assertThat(limiter.peek(policy, Keys.GLOBAL, 5).retryAfterNanos())
                            .isEqualTo(Duration.ofHours(2).toNanos());
                });
    }

    static class Slow {
        @RateLimited(value = "slow", maxWait = "10h")
        public Mono<String> callPatiently() {
            return Mono.just("called");
        }

        @RateLimited(value = "slow", maxWait = "2h")
        public Mono<String> call() {
            return Mono.just("called");
        }
    }
}
