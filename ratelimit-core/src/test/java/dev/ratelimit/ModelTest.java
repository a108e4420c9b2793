package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs buckets beside {@link ExactModel}; {@link StripedBucketTest} does so with those that may admit too little. */
@ParameterizedClass
@MethodSource("exactGuardsAndClocks")
class ModelTest {
    private static final int STEPS = 40;

    static Stream<Arguments> exactGuardsAndClocks() {
        return TokenBucketTest.guardsAndClocks().filter(each -> each.get()[0] != Synchronization.STRIPED);
    }

    private final Synchronization synchronization;
    private final ManualClock clock;
    private final SplittableRandom seeds;

    ModelTest(Synchronization synchronization, long origin) {
        this.synchronization = synchronization;
        clock = new ManualClock(origin);
        seeds = new SplittableRandom(31 * origin + synchronization.name().hashCode());
    }

    private RandomSequence sequence(Function<RandomLimits, Limit> limit) {
        return new RandomSequence(
                seeds.nextLong(),
                clock,
                limit,
                limits -> TokenBucket.builder()
                        .limits(limits.toArray(Limit[]::new))
                        .synchronization(synchronization)
                        .clock(clock)
                        .build());
    }

    @Test
    void decidesAsTheModelDoes() {
        for (int i = 0; i < 3_600; i++) {
            RandomSequence sequence = sequence(RandomLimits::exact);
            ExactModel model = new ExactModel(sequence.limits);
            for (int step = 0; step < STEPS; step++) {
                sequence.advance(sequence.isOneIn(10) ? -sequence.numbers.magnitude(30) : sequence.step(), model);
                long tokens = sequence.tokens();
                if (sequence.isOneIn(6)) {
                    sequence.refund(tokens, model);
                }
                boolean peek = sequence.isOneIn(6);
                assertThat(peek ? sequence.bucket.peek(tokens) : sequence.tryConsume(tokens))
                        .as(sequence)
                        .isEqualTo(peek ? model.peek(tokens) : model.tryConsume(tokens));
            }
        }
    }

    /** Where the nearest rate below is kept: between a model of the rate asked for and one of the lowest allowed. */
    @Test
    void isNeverAboveTheModelAndAtMostAMillionthBelow() {
        for (int i = 0; i < 150; i++) {
            RandomSequence sequence = sequence(RandomLimits::nearest);
            ExactModel most = new ExactModel(sequence.limits);
            ExactModel least = new ExactModel(
                    sequence.limits.stream().map(ModelTest::aMillionthSlower).toList());
            for (int step = 0; step < STEPS; step++) {
                sequence.advance(sequence.step(), most, least);
                long tokens = sequence.tokens();
                if (sequence.isOneIn(6)) {
                    sequence.refund(tokens, most, least);
                }
                requireBetween(least.peek(tokens), sequence.bucket.peek(tokens), most.peek(tokens), sequence);
                if (sequence.tryConsume(tokens).allowed()) {
                    List.of(most, least).forEach(model -> model.take(tokens));
                }
            }
        }
    }

    private static Limit aMillionthSlower(Limit limit) {
        return new Limit(
                limit.capacity(),
                limit.refillTokens() * 999_999,
                limit.refillPeriod().multipliedBy(1_000_000));
    }

    private static void requireBetween(Decision least, Decision actual, Decision most, Supplier<String> where) {
        assertThat(actual.allowed()).as(where).isIn(least.allowed(), most.allowed());
        assertThat(actual.retryAfterNanos()).as(where).isBetween(most.retryAfterNanos(), least.retryAfterNanos());
        if (least.allowed() == most.allowed()) {
            assertThat(actual.remaining()).as(where).isBetween(least.remaining(), most.remaining());
            assertThat(actual.resetAfterNanos()).as(where).isBetween(most.resetAfterNanos(), least.resetAfterNanos());
        }
    }
}
