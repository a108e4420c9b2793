package dev.ratelimit;

import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** A bucket under up to three random limits, and what a test does to it; an assertion's description of where it is. */
final class RandomSequence implements Supplier<String> {
    final RandomLimits numbers;
    final List<Limit> limits;
    final TokenBucket bucket;
    private final long seed;
    private final SplittableRandom random;
    private final ManualClock clock;
    private Decision last;

    RandomSequence(
            long seed,
            ManualClock clock,
            Function<RandomLimits, Limit> limit,
            Function<List<Limit>, TokenBucket> newBucket) {
        this.seed = seed;
        this.clock = clock;
        random = new SplittableRandom(seed);
        numbers = new RandomLimits(random);
        limits = Stream.generate(() -> limit.apply(numbers))
                .limit(random.nextInt(1, 4))
                .toList();
        bucket = newBucket.apply(limits);
        last = bucket.peek(1);
    }

    boolean isOneIn(int cases) {
        return random.nextInt(cases) == 0;
    }

    /** Returns nothing, the shortest time, any up to nine years, or one to where the answer changes. */
    long step() {
        return switch (random.nextInt(8)) {
            case 0 -> 0;
            case 1 -> 1;
            case 2 -> numbers.magnitude(59);
            case 3 -> Math.max(0, last.resetAfterNanos() + random.nextInt(-1, 2));
            case 4, 5 -> last.never() ? 0 : Math.max(0, last.retryAfterNanos() + random.nextInt(-1, 2));
            default -> random.nextLong(1 + last.resetAfterNanos());
        };
    }

    long tokens() {
        long capacity = limits.stream().mapToLong(Limit::capacity).min().orElseThrow();
        return switch (random.nextInt(8)) {
            case 0 -> capacity;
            case 1 -> capacity + 1;
            case 2 -> random.nextBoolean() ? Long.MAX_VALUE : numbers.magnitude(62);
            case 3, 4 -> 1 + random.nextLong(capacity);
            default -> Math.min(capacity, numbers.magnitude(4));
        };
    }

    void advance(long nanos, ExactModel... models) {
        clock.advance(Duration.ofNanos(nanos));
        List.of(models).forEach(model -> model.advance(nanos));
    }

    void refund(long tokens, ExactModel... models) {
        bucket.refund(tokens);
        List.of(models).forEach(model -> model.refund(tokens));
    }

    Decision tryConsume(long tokens) {
        last = bucket.tryConsume(tokens);
        return last;
    }

    @Override
    public String get() {
        return "seed %d, %s, %s, last %s".formatted(seed, bucket, clock, last);
    }
}
