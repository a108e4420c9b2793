package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whichever type may be limited has to be let through, wherever it has the annotation from. */
@SuppressWarnings("UnusedMethod") // they are looked for
class MentioningTypesTest {
    private final MentioningTypes types = new MentioningTypes();

    @Retention(RetentionPolicy.RUNTIME)
    @RateLimited(policy = "api")
    private @interface Costly {}

    @RateLimited(policy = "api")
    private static class OnType {}

    private static class OnMethod {
        @RateLimited(policy = "api")
        void call() {}
    }

    private static class Twice {
        @RateLimited(policy = "api")
        @RateLimited(policy = "more")
        void call() {}
    }

    private static class ByAnother {
        @Costly
        void call() {}
    }

    private interface OnDefault {
        @RateLimited(policy = "api")
        default void call() {}
    }

    private interface Inheriting extends OnDefault {}

    private static class OfInterface implements Inheriting {}

    private static class OfParent extends OfInterface {
        @Override
        public void call() {}
    }

    private static class Free implements Runnable {
        @Deprecated
        @Override
        public void run() {}
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                OnType.class,
                OnMethod.class,
                Twice.class,
                ByAnother.class,
                OnDefault.class,
                Inheriting.class,
                OfInterface.class,
                OfParent.class
            })
    void findsTheAnnotationWhereverItIs(Class<?> type) {
        assertThat(types.matches(type)).isTrue();
        assertThat(types.matches(type)).isTrue(); // also when it is known
    }

    @Test
    void leavesOutWhatHasNone() {
        assertThat(types.matches(Free.class)).isFalse();
        assertThat(types.matches(Object.class)).isFalse();
    }
}
