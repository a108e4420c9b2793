package dev.ratelimit;

import java.math.BigInteger;
import java.time.Duration;

/**
 * The arithmetic of one limit: the generic cell rate algorithm (ITU-T I.371), on integers. Immutable; no lock, no clock.
 *
 * <p>The state of a bucket is one number, {@code fullAt}: the instant at which it will be full again. What is missing
 * until then is the <em>debt</em>. Consuming n tokens adds n token intervals to the debt; it fits if the debt then is no
 * more than the burst. Nothing is ever added to a bucket, so there is no refill step and no remainder to lose.
 *
 * <p>Instants and debts are counted in <em>ticks</em>, so fine that a nanosecond and a token interval are both whole
 * numbers of them: for R tokens every P ns, in lowest terms, a nanosecond is R ticks and a token P. That is exact, but
 * the instants wrap around every 2<sup>64</sup> / R ns. So R is at most 1,000, and a bucket keeps an <em>anchor</em> beside
 * {@code fullAt}: a clock reading, in nanoseconds, from about the time {@code fullAt} was written. A bucket that was left
 * alone for longer than the largest debt takes to pay is full whatever its {@code fullAt} seems to say; a clock that went
 * back by more than can be told from going forward (6 days at R = 1,000, 18 years at R = 1) is taken to have gone back by
 * just that much.
 *
 * <p>A rate whose R is larger, or whose burst would not fit, is replaced by the nearest one that does fit and is not above
 * it: of all R up to 1,000 the one whose token interval, rounded up to a whole tick, is shortest. With a token interval
 * of t nanoseconds the rate is then low by less than 1 / (1,000 t): 1e-6 at a million tokens a second, 1e-3 at a billion.
 * A burst that takes longer than 26 days to fill leaves room for fewer R, and the error grows by as much.
 */
final class Gcra {
    /** The largest capacity, as the time to fill it; a waiting line may add as much again. */
    private static final long MAX_BURST = 1L << 61;

    /** The largest debt: {@link #MAX_BURST} and a waiting line as long. */
    static final long MAX_DEBT = 2 * MAX_BURST;

    /** How far, in ticks, an anchor may lag behind the write it stands for, and a reading behind the anchor. */
    private static final long SLACK = 1L << 59;

    private static final int MAX_TICKS_PER_NANO = 1_000;

    final Limit limit;
    final long burst; // ticks
    final long ticksPerToken;
    final long ticksPerNano;

    /** An anchor of this age has to be renewed before anything is written, and no reading is this far behind one. */
    final long slackNanos;

    private final long fullAfterNanos;

    Gcra(Limit limit) {
        Rate rate = Rate.of(limit);
        this.limit = limit;
        ticksPerNano = rate.tokens;
        ticksPerToken = rate.nanos;
        burst = limit.capacity() * ticksPerToken;
        slackNanos = SLACK / ticksPerNano;
        fullAfterNanos = (MAX_DEBT + SLACK) / ticksPerNano;
    }

    /** Returns the instant to reckon with where the clock reads {@code nanos}. */
    static long now(long nanos, long anchor, long slackNanos) {
        return nanos - anchor < -slackNanos ? anchor - slackNanos : nanos;
    }

    /** Returns the ticks that are missing at {@code now}: 0 in a full bucket, {@link #burst} in an empty one. */
    long debt(long fullAt, long anchor, long now) {
        return now - anchor > fullAfterNanos ? 0 : Math.max(0, fullAt - now * ticksPerNano);
    }

    /** Returns the instant at which a bucket with that debt at {@code now} will be full: the inverse of {@link #debt}. */
    long fullAt(long debt, long now) {
        return now * ticksPerNano + debt;
    }

    /** Returns the debt after {@code tokens} more, which are at most the capacity. */
    long charged(long debt, long tokens) {
        return debt + tokens * ticksPerToken;
    }

    /** Whether {@code tokens} can be consumed on top of that debt, by a caller who waits up to {@code maxWaitNanos}. */
    boolean fits(long debt, long tokens, long maxWaitNanos) {
        if (tokens > limit.capacity()) {
            return false;
        }
        long charged = charged(debt, tokens);
        return charged <= burst || (charged <= MAX_DEBT && nanos(charged - burst) <= maxWaitNanos);
    }

    /**
     * Returns the debt after {@code tokens} were given back, which is never below that of a full bucket; or, if there are
     * fewer than none, were taken without asking, up to the largest debt.
     */
    long added(long debt, long tokens) {
        if (tokens < (debt - MAX_DEBT) / ticksPerToken) {
            return MAX_DEBT;
        }
        return tokens > debt / ticksPerToken ? 0 : debt - tokens * ticksPerToken;
    }

    /**
     * Returns the debt after a charge of {@code tokens} was undone, of which no more is given back than {@code unpaid}.
     */
    long undone(long debt, long tokens, long unpaid) {
        return Math.max(0, debt - Math.min(unpaid, tokens * ticksPerToken));
    }

    /** Returns how many whole tokens {@link #undone} would give back if there were room for them. */
    long beyondRoom(long debt, long tokens, long unpaid) {
        return Math.max(0, Math.min(unpaid, tokens * ticksPerToken) - debt) / ticksPerToken;
    }

    /** Returns how many whole tokens fill a bucket with that debt. */
    long missing(long debt) {
        return ceilDiv(debt, ticksPerToken);
    }

    /** Returns the debt of a bucket that holds {@code tokens}. */
    long debtAt(long tokens) {
        return burst - Math.min(tokens, limit.capacity()) * ticksPerToken;
    }

    /**
     * Returns the debt of a bucket that had {@code debt} under {@code old}: it keeps its tokens, as far as they fit here.
     */
    long carried(Gcra old, long debt) {
        BigInteger missing = BigInteger.valueOf(debt).multiply(BigInteger.valueOf(ticksPerToken));
        BigInteger[] ticks = missing.divideAndRemainder(BigInteger.valueOf(old.ticksPerToken));
        return BigInteger.valueOf(limit.capacity())
                .subtract(BigInteger.valueOf(old.limit.capacity()))
                .multiply(BigInteger.valueOf(ticksPerToken))
                .add(ticks[0])
                .add(BigInteger.valueOf(ticks[1].signum()))
                .max(BigInteger.ZERO)
                .min(BigInteger.valueOf(MAX_DEBT))
                .longValueExact();
    }

    /** Returns the nanoseconds until {@code tokens} fit: 0 if they do now, {@link Long#MAX_VALUE} if they never will. */
    long waitNanos(long debt, long tokens) {
        if (tokens > limit.capacity()) {
            return Long.MAX_VALUE;
        }
        return nanos(Math.max(0, charged(debt, tokens) - burst));
    }

    /** Returns the decision of a bucket under this limit alone that had {@code debt}; see {@link Terms#decide}. */
    Decision decision(long debt, long tokens, boolean allowed) {
        long after = allowed ? charged(debt, tokens) : debt;
        return new Decision(allowed, tokens(after), waitNanos(debt, tokens), nanos(after), limit);
    }

    /** Returns the whole tokens that a bucket with that debt holds. */
    long tokens(long debt) {
        return Math.max(0, burst - debt) / ticksPerToken;
    }

    /** Returns a span of ticks in nanoseconds, rounded up: a client that waits that long has waited long enough. */
    long nanos(long ticks) {
        return ticksPerNano == 1 ? ticks : ceilDiv(ticks, ticksPerNano);
    }

    /** Returns a span of nanoseconds in ticks, but no more than the largest debt. */
    long ticks(long nanos) {
        return nanos > MAX_DEBT / ticksPerNano ? MAX_DEBT : nanos * ticksPerNano;
    }

    /** Returns the time an empty bucket takes to fill. */
    long nanosToFull() {
        return nanos(burst);
    }

    static void requirePositive(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }

    static void requireInRange(long capacity, long refillTokens, Duration refillPeriod) {
        long periodNanos;
        try {
            periodNanos = refillPeriod.toNanos();
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("refillPeriod must be at most 292 years: " + refillPeriod, e);
        }
        if (refillTokens > periodNanos) {
            throw new IllegalArgumentException("the rate must be at most one token a nanosecond: " + refillTokens
                    + " tokens in " + periodNanos + " ns");
        }
        long intervalNanos = ceilDiv(periodNanos, refillTokens);
        if (capacity > MAX_BURST / intervalNanos) {
            throw new IllegalArgumentException("capacity times token interval must be at most 2^61 ns, 73 years: "
                    + capacity + " times " + intervalNanos + " ns");
        }
    }

    /** Returns {@code duration} in nanoseconds, or as many as there are. */
    static long nanosOf(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return duration.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }

    private static long ceilDiv(long dividend, long divisor) {
        return dividend == 0 ? 0 : (dividend - 1) / divisor + 1;
    }

    /** A rate of {@code tokens} every {@code nanos}, which are the ticks of a nanosecond and those of a token. */
    private record Rate(long tokens, long nanos) {

        static Rate of(Limit limit) {
            BigInteger tokens = BigInteger.valueOf(limit.refillTokens());
            BigInteger nanos = BigInteger.valueOf(limit.refillPeriod().toNanos());
            BigInteger gcd = tokens.gcd(nanos);
            Rate exact = new Rate(
                    tokens.divide(gcd).longValueExact(), nanos.divide(gcd).longValueExact());
            return exact.tokens <= MAX_TICKS_PER_NANO && exact.fits(limit.capacity())
                    ? exact
                    : nearest(tokens, nanos, limit.capacity());
        }

        /** Returns the fastest rate in range that is not above {@code tokens} every {@code nanos}. */
        private static Rate nearest(BigInteger tokens, BigInteger nanos, long capacity) {
            Rate best = null;
            for (int candidate = 1; candidate <= MAX_TICKS_PER_NANO; candidate++) {
                BigInteger[] interval =
                        nanos.multiply(BigInteger.valueOf(candidate)).divideAndRemainder(tokens);
                BigInteger ceiling = interval[0].add(BigInteger.valueOf(interval[1].signum()));
                Rate rate = ceiling.bitLength() < Long.SIZE ? new Rate(candidate, ceiling.longValueExact()) : null;
                if (rate != null && rate.fits(capacity) && (best == null || rate.isFasterThan(best))) {
                    best = rate;
                }
            }
            if (best == null) {
                throw new AssertionError("a limit is checked for this when it is made");
            }
            return best;
        }

        private boolean fits(long capacity) {
            return capacity <= MAX_BURST / nanos;
        }

        private boolean isFasterThan(Rate other) {
            return BigInteger.valueOf(tokens)
                            .multiply(BigInteger.valueOf(other.nanos))
                            .compareTo(BigInteger.valueOf(other.tokens).multiply(BigInteger.valueOf(nanos)))
                    > 0;
        }
    }
}
