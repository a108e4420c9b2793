package dev.ratelimit;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A clock that moves only when told to, for tests. Sleeping on it advances it and returns at once. Thread-safe.
 *
 * <pre>{@code
 * ManualClock clock = new ManualClock(ThreadLocalRandom.current().nextLong());
 * clock.advance(Duration.ofSeconds(1));
 * }</pre>
 */
public final class ManualClock implements NanoClock {
    private final AtomicLong nanos;

    /** Creates a clock that reads {@code startNanos}, which may be any {@code long}. */
    public ManualClock(long startNanos) {
        nanos = new AtomicLong(startNanos);
    }

    @Override
    public long nanos() {
        return nanos.get();
    }

    /** Moves the clock by {@code duration}, backwards if that is negative. */
    public void advance(Duration duration) {
        nanos.addAndGet(duration.toNanos());
    }

    /** Sets the reading to {@code nanos}. */
    public void set(long nanos) {
        this.nanos.set(nanos);
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        if (nanos > 0) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            this.nanos.addAndGet(nanos);
        }
    }

    @Override
    public String toString() {
        return "ManualClock[" + nanos + " ns]";
    }
}
