package dev.ratelimit.spring.redis;

import dev.ratelimit.NanoClock;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Logs when Redis is asked no more, or not by all masters, and when it is again; and in 30 seconds a line at most about the
 * decisions without it, be they a few that failed or all. Thread-safe.
 */
final class FailureLog {
    private static final Log LOG = LogFactory.getLog(RedisRateLimiter.class);
    private static final long NANOS_BETWEEN_LINES = TimeUnit.SECONDS.toNanos(30);

    private final NanoClock clock;
    private final Breakers breakers;
    private final LongAdder decisions = new LongAdder(); // without Redis
    private final AtomicLong untold = new AtomicLong(); // those of them since the last line
    private final AtomicLong countDueAt;
    private final AtomicLong openingDueAt;
    private final AtomicReference<@Nullable Outage> outage = new AtomicReference<>();
    private volatile @Nullable Throwable cause;

    /** When a breaker opened, how many decisions had been made without Redis until then, and whether the log says so. */
    private record Outage(long nanos, long decisions, AtomicBoolean isTold) {}

    FailureLog(NanoClock clock, Breakers breakers) {
        this.clock = clock;
        this.breakers = breakers;
        countDueAt = new AtomicLong(clock.nanos());
        openingDueAt = new AtomicLong(clock.nanos());
    }

    /** Takes note of what went wrong last. */
    void because(Throwable cause) {
        this.cause = cause;
    }

    /** Says that a breaker has opened; of one that does so again and again, no more often than of decisions. */
    void opened() {
        begin();
        if (isDue(openingDueAt)) {
            write();
        }
    }

    private void begin() {
        outage.compareAndSet(null, new Outage(clock.nanos(), decisions.sum(), new AtomicBoolean()));
        if (!breakers.isAnyOpen()) { // any more, and it would be taken for the beginning of the next one
            closed();
        }
    }

    /** Counts a decision that was made without Redis. */
    void degraded() {
        decisions.increment();
        untold.incrementAndGet();
        if (isDue(countDueAt)) {
            write();
        }
    }

    private boolean isDue(AtomicLong dueAt) {
        long nanos = clock.nanos();
        long due = dueAt.get();
        return nanos - due >= 0 && dueAt.compareAndSet(due, nanos + NANOS_BETWEEN_LINES);
    }

    private void write() {
        boolean isOpen = breakers.isAnyOpen();
        if (isOpen) {
            begin();
            tell(outage.get());
        }
        LOG.warn((isOpen
                        ? "Redis does not decide, but what policies say under on-failure: "
                        : "Redis did not always decide: ")
                + cause + " (decisions without it since the last such line: " + untold.getAndSet(0) + ')');
    }

    private static void tell(@Nullable Outage begun) {
        if (begun != null) {
            begun.isTold.set(true);
        }
    }

    /** Says that no breaker is open any more, if one was said to be; and what that was like. */
    void closed() {
        Outage over = outage.getAndSet(null);
        if (over != null && over.isTold.get()) {
            untold.set(0);
            LOG.info("Redis decides again, after " + TimeUnit.NANOSECONDS.toSeconds(clock.nanos() - over.nanos)
                    + " s (decisions without it in that time: " + (decisions.sum() - over.decisions) + ')');
        }
    }
}
