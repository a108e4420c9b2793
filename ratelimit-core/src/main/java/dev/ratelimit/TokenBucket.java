package dev.ratelimit;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Holds up to a capacity of tokens that flow back at a steady rate, under one limit or several at once. Thread-safe.
 *
 * <p>Each operation takes effect at one instant, for all limits or for none; over any span of time t no more than
 * capacity + rate * t tokens are consumed, whatever the threads and the clock do. Where a {@link Synchronization} promises
 * less or more, it says so.
 *
 * <pre>{@code
 * TokenBucket bucket = TokenBucket.of(Limit.parse("100/1m"));
 * Decision atOnce = bucket.tryConsume(1);
 * Decision inLine = bucket.consume(5, Duration.ofSeconds(2)); // waits for its turn, if that comes within 2 s
 *
 * TokenBucket limitedTwice = TokenBucket.builder()
 *         .limits(Limit.parse("10/1s"), Limit.parse("100/1m"))
 *         .initialTokens(0)
 *         .build();
 * }</pre>
 */
public abstract class TokenBucket {

    TokenBucket() {}

    /**
     * {@return a full bucket, guarded by {@link Synchronization#CAS} and on the system's clock}
     *
     * @param limits at least one, which hold together
     * @throws IllegalArgumentException if there is no limit
     */
    public static TokenBucket of(Limit... limits) {
        return builder().limits(limits).build();
    }

    /** {@return a builder, for a bucket with another guard, clock or start} */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * {@return a bucket that consumes from all of {@code buckets} or from none; one that is listed twice, or is part of two
     * others that are, pays twice}
     *
     * <p>If all are guarded by {@link Synchronization#LOCK}, an operation on them is atomic: it holds all their locks, which
     * it takes in one order that is the same for all callers, so that it can't deadlock. It waits for each lock up to a
     * second; after that it gives up those it has and throws an {@link IllegalStateException} that says which one it was,
     * with nothing charged. Only giving back never fails: after that second it goes from part to part, and waits for one lock
     * at a time, for as long as it takes.
     *
     * <p>Otherwise it looks at all, consumes from one after the other, and gives back what it has if one of them was emptied
     * meanwhile, but for what has flowed in again. So no part is above its limits, however long the thread is held up in
     * between; but in such a race another caller may be denied tokens that come back.
     *
     * <p>{@link #consume} on it charges each part when the place is taken, not when the caller goes on: callers that a slow
     * part held up may go on together, faster than another part refills.
     *
     * @param buckets at least one
     * @throws IllegalArgumentException if there is no bucket
     */
    public static TokenBucket allOf(TokenBucket... buckets) {
        return new JointBucket(List.of(buckets));
    }

    /**
     * Consumes {@code tokens} if every limit has that many left, and none otherwise.
     *
     * @param tokens how many, at least 1; more than the capacity is a denial that {@linkplain Decision#never() never} ends
     * @return the decision
     * @throws IllegalArgumentException if {@code tokens} is below 1
     */
    public final Decision tryConsume(long tokens) {
        Gcra.requirePositive("tokens", tokens);
        return reserve(tokens, 0);
    }

    /**
     * Consumes {@code tokens}, and waits for them as long as that takes, but not longer than {@code maxWait}.
     *
     * <p>The caller has its place from the moment of the call, before all who come later, and sleeps without a lock. If the
     * wait would be too long it is denied at once and charged nothing.
     *
     * @param tokens how many, at least 1; more than the capacity is denied at once
     * @param maxWait zero or less not to wait at all; there is no longest
     * @return the decision, as it was when the call was made
     * @throws InterruptedException if the thread is interrupted before or while it waits; the tokens are given back, but for
     *     what of them has flowed in again meanwhile
     * @throws IllegalArgumentException if {@code tokens} is below 1
     */
    public final Decision consume(long tokens, Duration maxWait) throws InterruptedException {
        Gcra.requirePositive("tokens", tokens);
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        long maxWaitNanos = Gcra.nanosOf(maxWait);
        Decision atOnce = reserve(tokens, 0);
        if (atOnce.allowed() || atOnce.retryAfterNanos() > maxWaitNanos) {
            return atOnce;
        }
        Charges charges = new Charges();
        Decision reserved = reserve(tokens, maxWaitNanos, charges);
        if (!reserved.allowed() || reserved.retryAfterNanos() == 0) {
            return reserved;
        }
        try {
            clock().sleep(reserved.retryAfterNanos());
        } catch (InterruptedException e) {
            undo(charges);
            throw e;
        }
        return new Decision(true, reserved.remaining(), 0, reserved.resetAfterNanos(), reserved.limit());
    }

    /**
     * {@return what {@link #tryConsume} would have returned} It consumes nothing.
     *
     * @param tokens how many, at least 1
     * @throws IllegalArgumentException if {@code tokens} is below 1
     */
    public final Decision peek(long tokens) {
        Gcra.requirePositive("tokens", tokens);
        return decide(tokens, 0);
    }

    /**
     * Gives back {@code tokens} that were consumed and not used, up to the capacity and no further.
     *
     * @param tokens how many, at least 1; any larger number than is missing fills the bucket
     * @throws IllegalArgumentException if {@code tokens} is below 1
     */
    public final void refund(long tokens) {
        Gcra.requirePositive("tokens", tokens);
        refundNow(tokens);
    }

    /**
     * Takes {@code tokens} for a caller who waits up to {@code maxWaitNanos}. How long that has to be is the decision's
     * {@code retryAfterNanos}, also if it is allowed.
     */
    final Decision reserve(long tokens, long maxWaitNanos) {
        return reserve(tokens, maxWaitNanos, Charges.NONE);
    }

    /** The same, for a caller who may give the tokens back: notes in {@code charges} what was taken. */
    abstract Decision reserve(long tokens, long maxWaitNanos, Charges charges);

    /** Returns what {@link #reserve} would have returned, and takes nothing. */
    abstract Decision decide(long tokens, long maxWaitNanos);

    abstract void refundNow(long tokens);

    void undo(Charges charges) {
        charges.undo();
    }

    abstract NanoClock clock();

    /** Makes a bucket. Not thread-safe. */
    public static final class Builder {
        private List<Limit> limits = List.of();
        private Synchronization synchronization = Synchronization.CAS;
        private NanoClock clock = NanoClock.SYSTEM;
        private @Nullable Long initialTokens;

        private Builder() {}

        /**
         * Sets the limits that hold together, in place of any set before.
         *
         * @param limits at least one
         * @return this builder
         */
        public Builder limits(Limit... limits) {
            this.limits = List.of(limits);
            return this;
        }

        /**
         * Sets how the state is guarded.
         *
         * @param synchronization {@link Synchronization#CAS} unless told
         * @return this builder
         */
        public Builder synchronization(Synchronization synchronization) {
            this.synchronization = Objects.requireNonNull(synchronization, "synchronization");
            return this;
        }

        /**
         * Sets where time comes from.
         *
         * @param clock {@link NanoClock#SYSTEM} unless told
         * @return this builder
         */
        public Builder clock(NanoClock clock) {
            this.clock = Objects.requireNonNull(clock, "clock");
            return this;
        }

        /**
         * Sets how many tokens the bucket starts with; a limit with a smaller capacity starts full.
         *
         * @param initialTokens from 0 to the largest capacity, which it is unless told
         * @return this builder
         * @throws IllegalArgumentException if {@code initialTokens} is negative; more than the largest capacity is refused
         *     by {@link #build}
         */
        public Builder initialTokens(long initialTokens) {
            if (initialTokens < 0) {
                throw new IllegalArgumentException("initialTokens must not be negative: " + initialTokens);
            }
            this.initialTokens = initialTokens;
            return this;
        }

        /**
         * {@return the bucket}
         *
         * @throws IllegalArgumentException if there is no limit, or there are more initial tokens than any limit can hold
         */
        public TokenBucket build() {
            Terms terms = new Terms(limits, clock);
            long tokens = initialTokens == null ? terms.largestCapacity() : initialTokens;
            if (tokens > terms.largestCapacity()) {
                throw new IllegalArgumentException(
                        "initialTokens must be at most the capacity, " + terms.largestCapacity() + ": " + tokens);
            }
            return synchronization.bucket(terms, terms.stateOf(tokens));
        }
    }
}
