package dev.ratelimit.spring;

import java.lang.reflect.Method;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ClassUtils;

/** How a method answers, and so how a denial of it arrives. */
enum Returns {
    /** With a value: a denial is thrown. */
    VALUE,

    /** With a future: a denial is how that ends. */
    FUTURE,

    /** With a publisher of one value at the most: it is decided on, and denied, when someone subscribes. */
    MONO,

    /** With a publisher of many values: as for one. */
    FLUX;

    private static final @Nullable Class<?> PUBLISHER = find("org.reactivestreams.Publisher");
    private static final @Nullable Class<?> MONO_TYPE = find("reactor.core.publisher.Mono");
    private static final @Nullable Class<?> FLUX_TYPE = find("reactor.core.publisher.Flux");

    private static @Nullable Class<?> find(String name) {
        ClassLoader loader = Returns.class.getClassLoader();
        return ClassUtils.isPresent(name, loader) ? ClassUtils.resolveClassName(name, loader) : null;
    }

    /**
     * Returns how {@code method} answers.
     *
     * @throws InvalidRateLimitException if its calls can't be limited when they are made
     */
    static Returns of(Method method, String place) {
        Class<?> type = method.getReturnType();
        int parameters = method.getParameterCount();
        if (parameters > 0
                && method.getParameterTypes()[parameters - 1].getName().equals("kotlin.coroutines.Continuation")) {
            throw new InvalidRateLimitException(
                    place,
                    "is on a suspending function, which is not supported; limit a function that is not, around it");
        }
        if (type == Object.class) {
            return VALUE;
        }
        if (type.isAssignableFrom(CompletableFuture.class)) {
            return FUTURE;
        }
        if (type == MONO_TYPE) {
            return MONO;
        }
        if (PUBLISHER == null || !PUBLISHER.isAssignableFrom(type)) {
            return VALUE;
        }
        if (FLUX_TYPE == null || !type.isAssignableFrom(FLUX_TYPE)) {
            throw new InvalidRateLimitException(
                    place,
                    "returns a " + type.getSimpleName()
                            + ", which calls nothing before someone subscribes; declare it as a Mono or a Flux of Reactor");
        }
        return FLUX;
    }
}
