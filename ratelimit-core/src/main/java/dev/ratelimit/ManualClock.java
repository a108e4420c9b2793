package dev.ratelimit;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A clock that moves only when told to, for tests. Sleeping on it advances it and returns at once. Thread-safe.
 *
 * <pre>{@code
 * ManualClock clock = new ManualClock(ThreadLocalRandom.current().nextLong());
 * TokenBucket bucket = TokenBucket.builder().limits(Limit.parse("1/1s")).clock(clock).build();
 * bucket.tryConsume(1); // allowed, and denied if asked again at once
 * clock.advance(Duration.ofSeconds(1));
 * bucket.tryConsume(1); // allowed
 * }</pre>
 */
public final class ManualClock implements NanoClock {
    private final AtomicLong nanos;

    /**
     * Creates a clock.
     *
     * @param startNanos its first reading, which may be any {@code long}
     */
    public ManualClock(long startNanos) {
        nanos = new AtomicLong(startNanos);
    }

    @Override
    public long nanos() {
        return nanos.get();
    }

    /**
     * Moves the clock.
     *
     * @param duration by how much; backwards if negative
     * @throws ArithmeticException if that is more nanoseconds than 64 bits hold
     */
    public void advance(Duration duration) {
        nanos.addAndGet(duration.toNanos());
    }

    /**
     * Sets the reading.
     *
     * @param nanos any {@code long}, also one before the present reading
     */
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
