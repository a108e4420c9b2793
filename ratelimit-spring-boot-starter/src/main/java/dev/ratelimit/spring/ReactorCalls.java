package dev.ratelimit.spring;

import dev.ratelimit.NanoClock;
import dev.ratelimit.spring.CallLimiter.Answer;
import dev.ratelimit.spring.CallLimiter.Place;
import dev.ratelimit.spring.CallLimiter.Request;
import java.time.Duration;
import java.util.Objects;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.aop.ProxyMethodInvocation;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Calls that answer with a Mono or a Flux. Each subscription is decided on, charged and called anew, so a retry costs as much
 * as the first try. Nothing here blocks the subscriber's thread; whose call it is, and what it costs, is read when the method
 * is called, on the thread of the request.
 *
 * <p>The one class that knows Reactor, for it need not be there.
 */
final class ReactorCalls {
    private ReactorCalls() {}

    static Mono<Object> mono(CallLimiter limiter, Request request, MethodInvocation invocation) {
        MethodInvocation call = copy(invocation);
        return Mono.defer(() -> {
            Answer answer = limiter.decide(request);
            Place place = answer.place();
            return place == null
                    ? Mono.from(proceed(answer, request, call))
                    : wait(place, limiter).then(Mono.defer(() -> Mono.from(proceed(answer, request, call))));
        });
    }

    static Flux<Object> flux(CallLimiter limiter, Request request, MethodInvocation invocation) {
        MethodInvocation call = copy(invocation);
        return Flux.defer(() -> {
            Answer answer = limiter.decide(request);
            Place place = answer.place();
            return place == null
                    ? proceed(answer, request, call)
                    : wait(place, limiter).thenMany(Flux.defer(() -> proceed(answer, request, call)));
        });
    }

    /** A call can go on only once, so each subscription has one of its own. */
    private static MethodInvocation copy(MethodInvocation invocation) {
        return ((ProxyMethodInvocation) invocation).invocableClone();
    }

    @SuppressWarnings("unchecked")
    private static Publisher<Object> proceed(Answer answer, Request request, MethodInvocation call) {
        try {
            @Nullable Object result = RateLimitedInterceptor.proceed(answer, request, copy(call));
            return (Publisher<Object>) Objects.requireNonNull(result, "a limited method returned no publisher");
        } catch (Throwable e) {
            return Mono.error(e);
        }
    }

    /**
     * Ends when the call may go on; who cancels it gives the place up. A clock of the application's own, as in a test, says by
     * itself how to wait, on a thread that may block.
     */
    private static Mono<Void> wait(Place place, CallLimiter limiter) {
        NanoClock clock = limiter.clock();
        long nanos = limiter.waitNanos(place);
        Mono<Void> wait = clock.equals(NanoClock.SYSTEM)
                ? Mono.delay(Duration.ofNanos(nanos)).then()
                : Mono.<Void>fromCallable(() -> {
                            clock.sleep(nanos);
                            return null;
                        })
                        .subscribeOn(Schedulers.boundedElastic());
        return wait.doOnCancel(() -> place.reserved().undo());
    }
}
