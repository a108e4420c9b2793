package dev.ratelimit;

import java.util.concurrent.TimeUnit;

/**
 * Where time comes from: nanoseconds since an arbitrary instant, as {@link System#nanoTime()} counts them.
 *
 * <p>A reading may be negative and may wrap around, so two readings are compared by subtraction only. Implementations
 * must be thread-safe. {@link ManualClock} is the one for tests.
 *
 * <pre>{@code
 * NanoClock clock = NanoClock.SYSTEM;
 * long start = clock.nanos();
 * clock.sleep(1_000_000);
 * boolean passed = clock.nanos() - start >= 1_000_000; // and not clock.nanos() >= start + 1_000_000
 * }</pre>
 */
@FunctionalInterface
public interface NanoClock {

    /** The JVM's monotonic clock, which no change of the wall clock moves. */
    NanoClock SYSTEM = System::nanoTime;

    /** {@return the current reading, in nanoseconds} */
    long nanos();

    /**
     * Waits. A clock that does not run at the pace of real time has to say how.
     *
     * @param nanos how long, in nanoseconds; zero or less not at all
     * @throws InterruptedException if the thread is interrupted before or while it waits
     */
    default void sleep(long nanos) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(nanos);
    }
}
