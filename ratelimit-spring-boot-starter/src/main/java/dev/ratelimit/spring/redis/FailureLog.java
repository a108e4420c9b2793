package dev.ratelimit.spring.redis;

import dev.ratelimit.NanoClock;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/** Logs that Redis fails, a line in 30 seconds at most, and that it is back. Thread-safe. */
final class FailureLog {
    private static final Log LOG = LogFactory.getLog(RedisRateLimiter.class);
    private static final long NANOS_BETWEEN_LINES = TimeUnit.SECONDS.toNanos(30);

    private final NanoClock clock;
    private final AtomicLong decisions = new AtomicLong(); // without Redis, since the last line
    private final AtomicLong lineDueAt;
    private final AtomicBoolean failing = new AtomicBoolean(); // as far as the log says
    private volatile @Nullable Throwable cause;

    FailureLog(NanoClock clock) {
        this.clock = clock;
        lineDueAt = new AtomicLong(clock.nanos());
    }

    /** Takes note of what went wrong. */
    void failed(Throwable cause) {
        this.cause = cause;
        writeIfDue();
    }

    /** Counts a decision that was made without Redis. */
    void degraded() {
        decisions.incrementAndGet();
        writeIfDue();
    }

    private void writeIfDue() {
        long nanos = clock.nanos();
        long dueAt = lineDueAt.get();
        if (nanos - dueAt >= 0 && lineDueAt.compareAndSet(dueAt, nanos + NANOS_BETWEEN_LINES)) {
            failing.set(true);
            LOG.warn("Redis does not decide, but what policies say under on-failure: " + cause
                    + " (decisions since the last such line: " + decisions.getAndSet(0) + ')');
        }
    }

    /** Says that Redis is back, if it was said to fail. */
    void back() {
        if (failing.compareAndSet(true, false)) {
            LOG.info("Redis decides again");
        }
    }
}
