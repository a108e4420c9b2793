package dev.ratelimit.spring.redis;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Opens when calls to a server fail several times in a row, so that nobody waits for what is not there; a probe closes it by its
 * success. Thread-safe.
 */
final class Breaker {
    private static final int FAILURES = 5;

    private final AtomicInteger failures = new AtomicInteger();
    private volatile String failedKey = "";
    private volatile boolean isProbeUnanswered;

    boolean isOpen() {
        return failures.get() >= FAILURES;
    }

    /** Counts a failure of a call about that key, and returns whether it is the one that opens it. */
    boolean failed(String key) {
        failedKey = key;
        return !isOpen() && failures.incrementAndGet() == FAILURES;
    }

    /** Closes it, and returns whether it was open. */
    boolean succeeded() {
        return failures.get() != 0 && failures.getAndSet(0) >= FAILURES;
    }

    /** Returns the key that the last failure was about: a probe has to go to whoever has that now. */
    String failedKey() {
        return failedKey;
    }

    void probed() {
        isProbeUnanswered = true;
    }

    void probeAnswered() {
        isProbeUnanswered = false;
    }

    /** Whether the last probe had no answer, or has none yet. */
    boolean isProbeUnanswered() {
        return isProbeUnanswered;
    }
}
