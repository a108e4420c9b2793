package dev.ratelimit.spring;

import static dev.ratelimit.spring.LimitedApp.denied;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.aop.interceptor.AsyncUncaughtExceptionHandler;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.task.SyncTaskExecutor;
import org.springframework.core.task.TaskExecutor;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.AsyncConfigurer;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.scheduling.config.ScheduledTaskHolder;

/** Calls that come from no request: by other threads, by a scheduler, by a container of listeners. */
class CallersTest {
    private final LimitedApp app = new LimitedApp();

    @Configuration(proxyBeanMethods = false)
    @EnableAsync
    @EnableScheduling
    static class Jobs implements AsyncConfigurer {
        private static final List<Throwable> UNCAUGHT = new CopyOnWriteArrayList<>();

        @Override
        public TaskExecutor getAsyncExecutor() {
            return new SyncTaskExecutor();
        }

        @Override
        public AsyncUncaughtExceptionHandler getAsyncUncaughtExceptionHandler() {
            return (thrown, method, arguments) -> UNCAUGHT.add(thrown);
        }
    }

    static class Background {
        private int runs;

        @Async
        @RateLimited("login")
        public CompletableFuture<String> answer() {
            return CompletableFuture.completedFuture("answer");
        }

        @Async
        @RateLimited("login")
        public void forget() {}

        @Scheduled(fixedDelayString = "1h", initialDelayString = "1h")
        @RateLimited(limit = "1/1h")
        public void tick() {
            runs++;
        }

        public int runs() {
            return runs;
        }
    }

    private ApplicationContextRunner jobs() {
        return app.runner.withUserConfiguration(Jobs.class).withBean(Background.class);
    }

    @Test
    void failTheFutureOfAnAsyncMethod() {
        jobs().run(context -> {
            Background background = context.getBean(Background.class);
            assertThat(background.answer().get()).isEqualTo("answer");
            assertThat(background.answer().get()).isEqualTo("answer");
            assertThat(background.answer())
                    .failsWithin(Duration.ofSeconds(10))
                    .withThrowableThat()
                    .havingCause()
                    .isInstanceOf(RateLimitExceededException.class);
        });
    }

    @Test
    void tellTheHandlerOfAnAsyncMethodThatReturnsNothing() {
        Jobs.UNCAUGHT.clear();
        jobs().run(context -> {
            Background background = context.getBean(Background.class);
            background.forget();
            background.forget();
            background.forget();
            assertThat(Jobs.UNCAUGHT).singleElement().isInstanceOf(RateLimitExceededException.class);
        });
    }

    @Test
    void leaveTheScheduleGoingOn() {
        jobs().run(context -> {
            Runnable tick = context.getBean(ScheduledTaskHolder.class)
                    .getScheduledTasks()
                    .iterator()
                    .next()
                    .getTask()
                    .getRunnable();
            tick.run();
            denied(tick::run);
            app.clock.advance(Duration.ofHours(1));
            tick.run();
            assertThat(context.getBean(Background.class).runs()).isEqualTo(2);
        });
    }

    /** As the container of a message broker holds one: it calls it, and does with what is thrown as it is set up to. */
    static class Listener implements Consumer<String> {
        @Override
        @RateLimited(value = "login", key = "#message")
        public void accept(@Nullable String message) {}
    }

    @Test
    void throwToTheContainerOfAListener() {
        app.runner.withBean(Listener.class).run(context -> {
            Listener listener = context.getBean(Listener.class);
            listener.accept("a");
            listener.accept("a");
            assertThat(denied(() -> listener.accept("a"))).hasMessage("rate limit exceeded: login (retry after PT30S)");
            listener.accept("b");
            listener.accept(null);
        });
    }
}
