package dev.ratelimit.spring.redis;

import dev.ratelimit.Limit;
import java.math.BigInteger;

/**
 * The arithmetic of one limit as bucket.lua does it: that of a bucket in this process, but for the unit. Immutable.
 *
 * <p>Redis counts time in microseconds, and a script of it in doubles, which hold whole numbers up to 2<sup>53</sup>. So under R
 * tokens in P microseconds a microsecond is R ticks and a token P, and no debt is larger than that. A rate whose R is above
 * 1,000, or whose burst would not fit, is replaced by the nearest one that does fit and is not above it: with a token interval
 * of t microseconds it is low by less than 1 / (1,000 t). A limit whose rate would be low by more than a thousandth is refused.
 */
final class RedisLimit {
    static final long MAX_DEBT = (1L << 53) - 1;
    private static final long MAX_BURST = 1L << 52;
    private static final int MAX_TICKS_PER_MICRO = 1_000;
    private static final long NANOS_PER_MICRO = 1_000;

    final Limit limit;
    final long ticksPerMicro;
    final long ticksPerToken;
    private final long burst; // ticks

    /**
     * Finds the rate.
     *
     * @throws IllegalArgumentException if none fits, or none that is near enough
     */
    RedisLimit(Limit limit) {
        long rate = 0;
        long interval = 1;
        for (int candidate = 1; candidate <= MAX_TICKS_PER_MICRO; candidate++) {
            long ticks = ticksPerToken(limit, candidate);
            if (limit.capacity() <= MAX_BURST / ticks && candidate * interval > rate * ticks) {
                rate = candidate;
                interval = ticks;
            }
        }
        if (rate == 0) {
            throw new IllegalArgumentException(
                    "too large for Redis, which counts up to 2^52: capacity times token interval,"
                            + " in whole microseconds, of the limit " + limit);
        }
        if (isLow(limit, rate, interval)) {
            throw new IllegalArgumentException(
                    "too large for Redis, which counts up to 1,000 a microsecond and 2^52 in all:"
                            + " the rate would be low by more than a thousandth, of the limit " + limit);
        }
        this.limit = limit;
        ticksPerMicro = rate;
        ticksPerToken = interval;
        burst = limit.capacity() * ticksPerToken;
    }

    /** Returns the ticks of a token, rounded up, where a microsecond has {@code ticksPerMicro}. */
    private static long ticksPerToken(Limit limit, int ticksPerMicro) {
        BigInteger[] ticks = BigInteger.valueOf(limit.refillPeriod().toNanos())
                .multiply(BigInteger.valueOf(ticksPerMicro))
                .divideAndRemainder(
                        BigInteger.valueOf(limit.refillTokens()).multiply(BigInteger.valueOf(NANOS_PER_MICRO)));
        return ticks[0].add(BigInteger.valueOf(ticks[1].signum()))
                .min(BigInteger.valueOf(MAX_DEBT))
                .longValueExact();
    }

    /** Whether {@code rate} tokens in {@code interval} microseconds are fewer by more than a thousandth. */
    private static boolean isLow(Limit limit, long rate, long interval) {
        BigInteger asked = BigInteger.valueOf(limit.refillTokens())
                .multiply(BigInteger.valueOf(NANOS_PER_MICRO))
                .multiply(BigInteger.valueOf(interval));
        BigInteger kept = BigInteger.valueOf(rate)
                .multiply(BigInteger.valueOf(limit.refillPeriod().toNanos()));
        return asked.subtract(kept).multiply(BigInteger.valueOf(1_000)).compareTo(asked) > 0;
    }

    /** Whether {@code tokens} can be consumed on top of that debt, by a caller who waits up to {@code patienceMicros}. */
    boolean fits(long debt, long tokens, long patienceMicros) {
        if (tokens > limit.capacity()) {
            return false;
        }
        long charged = charged(debt, tokens);
        return charged <= burst || (charged <= MAX_DEBT && micros(charged - burst) <= patienceMicros);
    }

    /** Returns the debt after {@code tokens} more, which are at most the capacity. */
    long charged(long debt, long tokens) {
        return debt + tokens * ticksPerToken;
    }

    /** Returns what is left of a debt after {@code micros}. */
    long paid(long debt, long micros) {
        return micros > debt / ticksPerMicro ? 0 : debt - micros * ticksPerMicro;
    }

    /** Returns the whole tokens that a bucket with that debt holds. */
    long tokens(long debt) {
        return Math.max(0, burst - debt) / ticksPerToken;
    }

    /** Returns the nanoseconds until {@code tokens} fit: 0 if they do now, {@link Long#MAX_VALUE} if they never will. */
    long waitNanos(long debt, long tokens) {
        return tokens > limit.capacity() ? Long.MAX_VALUE : nanos(Math.max(0, charged(debt, tokens) - burst));
    }

    /** Returns how long a debt takes to pay: whole microseconds, as Redis does not see less of time go by. */
    long nanos(long ticks) {
        return micros(ticks) * NANOS_PER_MICRO;
    }

    private long micros(long ticks) {
        return ticks == 0 ? 0 : (ticks - 1) / ticksPerMicro + 1;
    }
}
