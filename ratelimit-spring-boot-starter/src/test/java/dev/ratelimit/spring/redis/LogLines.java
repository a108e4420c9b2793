package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.slf4j.LoggerFactory;

/** What is logged at level INFO and above until it is closed. */
final class LogLines implements AutoCloseable {
    private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    private final Level level = root.getLevel();
    private final List<ILoggingEvent> events = new CopyOnWriteArrayList<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            events.add(event);
        }
    };

    private final long begun = System.nanoTime();

    LogLines() {
        appender.setContext(root.getLoggerContext());
        appender.start();
        root.addAppender(appender);
        root.setLevel(Level.INFO);
    }

    /**
     * Requires no more of the limiter than one each time that Redis fails or is back, which in a storm may be a few times, and one
     * every 30 seconds; and no complaints of the client below it.
     */
    void requireFew() {
        assertThat(ofLimiter()).hasSizeLessThanOrEqualTo(few());
        assertThat(of("io.netty")).isEmpty();
    }

    /** Returns how many lines are few, for as long as it has taken. */
    int few() {
        return 6 + (int) (TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun) / 30);
    }

    List<String> ofLimiter() {
        return of("dev.ratelimit");
    }

    /** What the client below the limiter complains of. */
    List<String> complaints() {
        return events.stream()
                .filter(event -> event.getLevel().isGreaterOrEqual(Level.WARN))
                .filter(event -> !event.getLoggerName().startsWith("dev.ratelimit"))
                .map(ILoggingEvent::toString)
                .toList();
    }

    private List<String> of(String logger) {
        return events.stream()
                .filter(event -> event.getLoggerName().startsWith(logger))
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    @Override
    public void close() {
        root.detachAppender(appender);
        root.setLevel(level);
    }
}
