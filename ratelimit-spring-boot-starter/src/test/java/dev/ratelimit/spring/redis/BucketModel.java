package dev.ratelimit.spring.redis;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.spring.redis.BucketScript.Operation;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a bucket in Redis is, in numbers of any size: the reference that the script is compared with. A limit's unit is what a
 * token and a microsecond are whole numbers of.
 */
final class BucketModel {
    static final BigInteger MAX_DEBT = BigInteger.TWO.pow(53).subtract(BigInteger.ONE);
    private static final long MAX_CLOCK_SKEW = 1_000_000;

    private List<Level> levels = List.of();
    private @Nullable BigInteger anchor;
    private BigInteger unknownUntil = BigInteger.ZERO; // how much has been paid of what was taken, as others gave back
    private long since; // what was taken by then is forgotten

    /** A limit, and what is missing under it. */
    record Level(Limit limit, BigInteger perMicro, BigInteger perToken, BigInteger debt) {

        static Level full(Limit limit) {
            BigInteger tokens = BigInteger.valueOf(limit.refillTokens()).multiply(BigInteger.valueOf(1_000));
            BigInteger nanos = BigInteger.valueOf(limit.refillPeriod().toNanos());
            BigInteger gcd = tokens.gcd(nanos);
            return new Level(limit, tokens.divide(gcd), nanos.divide(gcd), BigInteger.ZERO);
        }

        Level owing(BigInteger debt) {
            return new Level(
                    limit, perMicro, perToken, debt.max(BigInteger.ZERO).min(MAX_DEBT));
        }

        BigInteger ticks(long tokens) {
            return BigInteger.valueOf(tokens).multiply(perToken);
        }

        BigInteger capacity() {
            return ticks(limit.capacity());
        }

        BigInteger paid(long micros) {
            return BigInteger.valueOf(Math.max(0, micros)).multiply(perMicro);
        }

        boolean fits(long tokens, long patienceMicros) {
            BigInteger charged = debt.add(ticks(tokens));
            return tokens <= limit.capacity()
                    && charged.compareTo(MAX_DEBT) <= 0
                    && charged.subtract(capacity()).compareTo(paid(patienceMicros)) <= 0;
        }

        Level carriedFrom(Level old) {
            BigInteger held = old.capacity().subtract(old.debt); // in old ticks; as tokens: held / old.perToken
            BigInteger[] ticks = held.multiply(perToken).divideAndRemainder(old.perToken);
            BigInteger floor = ticks[1].signum() < 0 ? ticks[0].subtract(BigInteger.ONE) : ticks[0];
            return owing(capacity().subtract(floor));
        }

        long nanos(BigInteger ticks) {
            BigInteger[] micros = ticks.max(BigInteger.ZERO).divideAndRemainder(perMicro);
            return micros[0]
                    .add(BigInteger.valueOf(micros[1].signum()))
                    .multiply(BigInteger.valueOf(1_000))
                    .longValueExact();
        }
    }

    /** Reads the bucket at {@code now} under those limits, as whoever changes it does; the limits replace those it had. */
    List<Level> read(List<Limit> limits, long now) {
        List<Level> olds = new ArrayList<>();
        for (Level level : levels) {
            olds.add(level.owing(level.debt.subtract(level.paid(now - anchor(now)))));
        }
        List<Level> gone = new ArrayList<>(olds);
        Level[] carried = new Level[limits.size()];
        List<Integer> changed = new ArrayList<>();
        for (int i = 0; i < carried.length; i++) {
            Limit limit = limits.get(i);
            Level same = gone.stream()
                    .filter(each -> isSame(Level.full(limit), each))
                    .findFirst()
                    .orElse(null);
            if (same == null) {
                changed.add(i);
                carried[i] = Level.full(limit);
            } else {
                carried[i] = Level.full(limit).owing(same.debt);
                gone.remove(same);
            }
        }
        for (int k = 0; k < changed.size(); k++) {
            Level full = carried[changed.get(k)];
            List<Level> from = changed.size() == gone.size() ? List.of(gone.get(k)) : olds;
            for (Level old : from) {
                Level next = full.carriedFrom(old);
                carried[changed.get(k)] =
                        next.debt.compareTo(carried[changed.get(k)].debt) > 0 ? next : carried[changed.get(k)];
            }
        }
        return List.of(carried);
    }

    private static boolean isSame(Level one, Level other) {
        return one.limit.capacity() == other.limit.capacity()
                && one.perMicro.equals(other.perMicro)
                && one.perToken.equals(other.perToken);
    }

    /** Returns the instant that debts are as of: {@code now}, or one shortly after it where the clock went back a little. */
    private long anchor(long now) {
        long last = anchor == null ? now : anchor.longValueExact();
        return last > now && last - now > MAX_CLOCK_SKEW ? now : last;
    }

    /** Writes what became of a bucket, unless that says nothing new; returns whether it did. */
    boolean write(List<Level> before, List<Level> after, long now, Operation operation) {
        boolean isAhead = anchor != null && anchor.longValueExact() - now > MAX_CLOCK_SKEW;
        boolean isCarried = isUnderOthers(before);
        if (after.equals(before) && !isAhead && !isCarried && operation != Operation.RESET) {
            return false;
        }
        long at = Math.max(now, anchor(now));
        if (isCarried) {
            long from = anchor(now);
            since = Math.max(since, at - 1);
            known(
                    at,
                    nanos(levels.stream()
                            .map(level -> level.owing(level.debt.subtract(level.paid(now - from))))
                            .toList()));
        }
        anchor = BigInteger.valueOf(at);
        if (operation == Operation.RESET) {
            since = Math.max(since, at);
        }
        if (operation == Operation.REFUND || operation == Operation.UNDO || operation == Operation.RESET) {
            known(at, nanos(before));
        }
        unknownUntil = isUnknown(now) ? unknownUntil : BigInteger.ZERO;
        since = isUnknown(now) ? since : 0;
        levels = after;
        return true;
    }

    private void known(long from, long nanos) {
        unknownUntil =
                unknownUntil.max(BigInteger.valueOf(from + nanos / 1_000)).min(MAX_DEBT);
    }

    /** Whether the bucket is under other limits than those. */
    boolean isUnderOthers(List<Level> others) {
        return anchor != null && !haveLimitsOf(others);
    }

    private boolean haveLimitsOf(List<Level> others) {
        List<Level> left = new ArrayList<>(levels);
        for (Level other : others) {
            left.stream().filter(each -> isSame(other, each)).findFirst().ifPresent(left::remove);
        }
        return left.isEmpty() && others.size() == levels.size();
    }

    /** Returns how long the bucket takes to be full again, or to forget who gave back. */
    long nanosToFull(long now) {
        if (anchor == null) {
            return 0;
        }
        long full = anchor.longValueExact() + nanos(levels) / 1_000;
        return 1_000 * (Math.max(full, unknownUntil.longValueExact()) - now);
    }

    private static long nanos(List<Level> levels) {
        long nanos = 0;
        for (Level level : levels) {
            nanos = Math.max(nanos, level.nanos(level.debt));
        }
        return nanos;
    }

    /** Whether others gave back who may have come before somebody who has not been paid for yet. */
    boolean isUnknown(long now) {
        return unknownUntil.longValueExact() > now;
    }

    /** Whether what was taken at {@code instant} is not to be given back. */
    boolean isForgotten(long instant) {
        return instant <= since;
    }

    static boolean fits(List<Level> levels, long tokens, long patienceMicros) {
        return levels.stream().allMatch(level -> level.fits(tokens, patienceMicros));
    }

    static Decision decision(List<Level> levels, long tokens, long patienceMicros) {
        boolean allowed = fits(levels, tokens, patienceMicros);
        long remaining = Long.MAX_VALUE;
        long retryAfterNanos = 0;
        long resetAfterNanos = 0;
        Limit decider = levels.get(0).limit();
        for (Level level : levels) {
            BigInteger after = allowed ? level.debt.add(level.ticks(tokens)) : level.debt;
            long left = level.capacity()
                    .subtract(after)
                    .max(BigInteger.ZERO)
                    .divide(level.perToken)
                    .longValueExact();
            long wait = tokens > level.limit.capacity()
                    ? Long.MAX_VALUE
                    : level.nanos(level.debt.add(level.ticks(tokens)).subtract(level.capacity()));
            if (allowed ? left < remaining : wait > retryAfterNanos) {
                decider = level.limit;
            }
            remaining = Math.min(remaining, left);
            retryAfterNanos = Math.max(retryAfterNanos, wait);
            resetAfterNanos = Math.max(resetAfterNanos, level.nanos(after));
        }
        return new Decision(allowed, remaining, retryAfterNanos, resetAfterNanos, decider);
    }
}
