package dev.ratelimit.spring.redis;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisCommandTimeoutException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.LongAdder;

/**
 * How Redis has answered since the start, for operators to look at. Thread-safe.
 *
 * @hidden
 */
public final class RedisStats {

    /**
     * Why a call failed.
     *
     * @hidden
     */
    public enum Failure {
        /** There was no answer in time. */
        TIMEOUT,

        /** There was no connection, or it broke. */
        UNREACHABLE,

        /** Redis answered with an error, as one does that has no memory left or is a replica. */
        REFUSED,

        /** A key has a value that this version does not know. */
        UNREADABLE;

        static Failure of(Throwable failure) {
            if (UnreadableValueException.is(failure)) {
                return UNREADABLE;
            }
            if (failure instanceof RedisCommandTimeoutException) {
                return TIMEOUT;
            }
            return failure instanceof RedisCommandExecutionException ? REFUSED : UNREACHABLE;
        }
    }

    private final Breakers breakers;
    private final LongAdder waits = new LongAdder();
    private final LongAdder waitedNanos = new LongAdder();
    private final Map<Failure, LongAdder> failures = new EnumMap<>(Failure.class);

    RedisStats(Breakers breakers) {
        this.breakers = breakers;
        for (Failure failure : Failure.values()) {
            failures.put(failure, new LongAdder());
        }
    }

    /** Whether Redis or a master of its cluster is known to fail, so that policies decide without it until it is back. */
    public boolean isFailing() {
        return breakers.isAnyOpen();
    }

    /** Returns how many times somebody waited for Redis to decide. */
    public long waits() {
        return waits.sum();
    }

    /** Returns for how long they did in all, be it in vain. */
    public long waitedNanos() {
        return waitedNanos.sum();
    }

    /** Returns how many calls failed for that reason. */
    public long failures(Failure failure) {
        return count(failure).sum();
    }

    void waited(long nanos) {
        waits.increment();
        waitedNanos.add(nanos);
    }

    void failed(Throwable failure) {
        count(Failure.of(failure)).increment();
    }

    private LongAdder count(Failure failure) {
        return Objects.requireNonNull(failures.get(failure)); // there is one of each
    }
}
