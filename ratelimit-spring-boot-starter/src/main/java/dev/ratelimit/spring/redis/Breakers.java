package dev.ratelimit.spring.redis;

import dev.ratelimit.NanoClock;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * A breaker for each server, so that a master of a cluster that hangs keeps no keys but its own from Redis. While one is open,
 * probes of all that are open are due once a second. Thread-safe.
 */
final class Breakers {
    private static final long NANOS_BETWEEN_PROBES = TimeUnit.SECONDS.toNanos(1);

    private final NanoClock clock;
    private final Map<String, Breaker> breakers = new ConcurrentHashMap<>(); // by server; of masters there are few
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicLong probesDueAt;

    Breakers(NanoClock clock) {
        this.clock = clock;
        probesDueAt = new AtomicLong(clock.nanos());
    }

    Breaker of(String server) {
        Breaker known = breakers.get(server); // which takes no lock
        return known != null ? known : breakers.computeIfAbsent(server, any -> new Breaker());
    }

    boolean isAnyOpen() {
        return open.get() > 0;
    }

    void forEachOpen(Consumer<Breaker> task) {
        for (Breaker each : breakers.values()) {
            if (each.isOpen()) {
                task.accept(each);
            }
        }
    }

    /** Counts a failure of one of them, and returns whether it is the first that is open now. */
    boolean failed(Breaker breaker, String key) {
        return breaker.failed(key) && open.incrementAndGet() == 1;
    }

    /** Closes one of them, and returns whether it was the last that was open. */
    boolean succeeded(Breaker breaker) {
        return breaker.succeeded() && open.decrementAndGet() == 0;
    }

    /** Returns true to one caller a second while one is open, however often that opens: what one tries needs time for an answer. */
    boolean areProbesDue() {
        if (!isAnyOpen()) {
            return false;
        }
        long nanos = clock.nanos();
        long dueAt = probesDueAt.get();
        return nanos - dueAt >= 0 && probesDueAt.compareAndSet(dueAt, nanos + NANOS_BETWEEN_PROBES);
    }
}
