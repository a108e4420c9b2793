package dev.ratelimit.spring.redis;

import dev.ratelimit.NanoClock;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Opens when calls fail several times in a row, so that nobody waits for what is not there; while it is open, a probe is due
 * once a second, and closes it by its success. Thread-safe.
 */
final class Breaker {
    private static final int FAILURES = 5;
    private static final long NANOS_BETWEEN_PROBES = TimeUnit.SECONDS.toNanos(1);

    private final NanoClock clock;
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicLong probeDueAt;

    Breaker(NanoClock clock) {
        this.clock = clock;
        probeDueAt = new AtomicLong(clock.nanos());
    }

    boolean isOpen() {
        return failures.get() >= FAILURES;
    }

    /** Counts a failure, and returns whether it is the one that opens it. */
    boolean failed() {
        return !isOpen() && failures.incrementAndGet() == FAILURES;
    }

    /** Closes it, and returns whether it was open. */
    boolean succeeded() {
        return failures.get() != 0 && failures.getAndSet(0) >= FAILURES;
    }

    /** Returns true to one caller a second, however often it opens: what one tries needs time for an answer. */
    boolean isProbeDue() {
        long nanos = clock.nanos();
        long dueAt = probeDueAt.get();
        return nanos - dueAt >= 0 && probeDueAt.compareAndSet(dueAt, nanos + NANOS_BETWEEN_PROBES);
    }
}
