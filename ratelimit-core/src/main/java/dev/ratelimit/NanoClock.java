package dev.ratelimit;

import java.util.concurrent.TimeUnit;

/**
 * Where time comes from: nanoseconds since an arbitrary instant, as {@link System#nanoTime()} counts them.
 *
 * <p>A reading may be negative and may wrap around, so two readings are compared by subtraction only. Implementations
 * must be thread-safe. {@link ManualClock} is the one for tests.
 */
@FunctionalInterface
public interface NanoClock {

    /** The JVM's monotonic clock, which no change of the wall clock moves. */
    NanoClock SYSTEM = System::nanoTime;

    /** Returns the current reading, in nanoseconds. */
    long nanos();

    /**
     * Waits until {@code nanos} have passed; returns at once for zero or less. A clock that does not run at the pace of real
     * time has to say how.
     *
     * @throws InterruptedException if the thread is interrupted before or while it waits
     */
    default void sleep(long nanos) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(nanos);
    }
}
