package dev.ratelimit;

import java.math.BigInteger;
import java.time.Duration;
import java.util.SplittableRandom;

/** Makes limits of every size, small numbers as often as large ones; whoever fails prints the seed. */
final class RandomLimits {
    private static final long MAX_BURST = 1L << 61;

    private final SplittableRandom random;

    RandomLimits(SplittableRandom random) {
        this.random = random;
    }

    /** Returns a limit that is kept as it is: with a reduced refill of at most 1,000, and a burst in range. */
    Limit exact() {
        long refill = random.nextBoolean() ? random.nextLong(1, 1_001) : 1_000 - random.nextInt(2);
        long period = refill + magnitude(random.nextBoolean() ? 6 : 51);
        long largest = MAX_BURST / period;
        long capacity = random.nextInt(8) == 0 ? largest : Math.min(largest, magnitude(random.nextInt(2, 40)));
        long factor = random.nextBoolean() ? 1 : random.nextInt(1, 1_000);
        return new Limit(capacity, refill * factor, Duration.ofNanos(period * factor));
    }

    /** Returns a limit of up to a million tokens a second whose refill can't be reduced to 1,000 or less. */
    Limit nearest() {
        while (true) {
            Duration period = Duration.ofSeconds(random.nextLong(1, 61));
            long refill = random.nextLong(1_001, 1_000_000 * period.toSeconds() + 1);
            long gcd = BigInteger.valueOf(refill)
                    .gcd(BigInteger.valueOf(period.toNanos()))
                    .longValueExact();
            if (refill / gcd > 1_000) {
                return new Limit(magnitude(random.nextInt(2, 20)), refill, period);
            }
        }
    }

    /** Returns a limit that is worth several cells. */
    Limit large() {
        long refill = random.nextLong(1, 1_001);
        return new Limit(16_384 + magnitude(40), refill, Duration.ofNanos(refill + magnitude(18)));
    }

    /** Returns a number from 1 to 2<sup>bits - 1</sup>. */
    long magnitude(int bits) {
        return 1 + random.nextLong(1L << random.nextInt(bits));
    }
}
