package dev.ratelimit;

import java.util.List;
import java.util.Objects;

/**
 * Holds up to a capacity of tokens that flow back at a steady rate, under one limit or several at once. Thread-safe.
 *
 * <p>Each operation takes effect at one instant, for all limits or for none; over any span of time t no more than
 * capacity + rate * t tokens are consumed, whatever the threads and the clock do.
 *
 * <pre>{@code
 * TokenBucket bucket = TokenBucket.of(Limit.parse("100/1m"));
 * if (bucket.tryConsume(1).allowed()) { ... }
 * }</pre>
 */
public abstract class TokenBucket {
    final Terms terms;

    TokenBucket(Terms terms) {
        this.terms = terms;
    }

    /**
     * Returns a full bucket under {@code limits}, guarded by {@link Synchronization#CAS} and on the system's clock.
     *
     * @throws IllegalArgumentException if there is no limit
     */
    public static TokenBucket of(Limit... limits) {
        return builder().limits(limits).build();
    }

    /** Returns a builder, for a bucket with another guard, clock or start. */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Consumes {@code tokens} if every limit has that many left, and none otherwise.
     *
     * @param tokens how many, at least 1; more than the capacity is a denial that {@linkplain Decision#never() never} ends
     * @throws IllegalArgumentException if {@code tokens} is below 1
     */
    public final Decision tryConsume(long tokens) {
        Gcra.requirePositive("tokens", tokens);
        return consumeNow(tokens);
    }

    /**
     * Returns what {@link #tryConsume} would have returned, and consumes nothing.
     *
     * @throws IllegalArgumentException if {@code tokens} is below 1
     */
    public final Decision peek(long tokens) {
        Gcra.requirePositive("tokens", tokens);
        return decide(tokens);
    }

    /**
     * Gives back {@code tokens} that were consumed and not used, up to the capacity and no further.
     *
     * @param tokens how many, at least 1; any larger number than is missing fills the bucket
     * @throws IllegalArgumentException if {@code tokens} is below 1
     */
    public final void refund(long tokens) {
        Gcra.requirePositive("tokens", tokens);
        giveBack(tokens);
    }

    abstract Decision consumeNow(long tokens);

    abstract Decision decide(long tokens);

    abstract void giveBack(long tokens);

    @Override
    public String toString() {
        return "TokenBucket[" + decide(1).remaining() + " tokens of " + terms + ']';
    }

    /** Makes a bucket. Not thread-safe. */
    public static final class Builder {
        private List<Limit> limits = List.of();
        private Synchronization synchronization = Synchronization.CAS;
        private NanoClock clock = NanoClock.SYSTEM;
        private long initialTokens = Long.MAX_VALUE;

        private Builder() {}

        /** The limits that hold together; at least one, and in place of any set before. */
        public Builder limits(Limit... limits) {
            this.limits = List.of(limits);
            return this;
        }

        /** How the state is guarded; {@link Synchronization#CAS} unless told. */
        public Builder synchronization(Synchronization synchronization) {
            this.synchronization = Objects.requireNonNull(synchronization, "synchronization");
            return this;
        }

        /** Where time comes from; {@link NanoClock#SYSTEM} unless told. */
        public Builder clock(NanoClock clock) {
            this.clock = Objects.requireNonNull(clock, "clock");
            return this;
        }

        /**
         * How many tokens the bucket starts with, from 0 to the largest capacity; a limit with a smaller one starts full.
         * Unless told, all start full.
         *
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
         * Returns the bucket.
         *
         * @throws IllegalArgumentException if there is no limit, or there are more initial tokens than any limit can hold
         */
        public TokenBucket build() {
            Terms terms = new Terms(limits, clock);
            if (initialTokens != Long.MAX_VALUE && initialTokens > terms.largestCapacity()) {
                throw new IllegalArgumentException("initialTokens must be at most the capacity, "
                        + terms.largestCapacity() + ": " + initialTokens);
            }
            return synchronization.bucket(terms, terms.stateOf(initialTokens));
        }
    }
}
