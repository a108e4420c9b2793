package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What buckets do that the limiter keeps. */
@ParameterizedClass
@MethodSource("guardsAndLimits")
class GuardedBucketTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final Terms terms;
    private final Synchronization synchronization;

    static Stream<Arguments> guardsAndLimits() {
        List<List<Limit>> limits =
                List.of(List.of(Limit.parse("10000/1d")), List.of(Limit.parse("20000/1h"), Limit.parse("10000/1d")));
        return Stream.of(Synchronization.values())
                .filter(guard -> guard != Synchronization.THREAD_LOCAL) // which the limiter refuses
                .flatMap(guard -> limits.stream().map(each -> Arguments.of(guard, each)));
    }

    GuardedBucketTest(Synchronization synchronization, List<Limit> limits) {
        this.synchronization = synchronization;
        terms = new Terms(limits, clock);
    }

    private GuardedBucket bucket(long[] state) {
        return (GuardedBucket) synchronization.bucket(terms, state);
    }

    @Test
    void leavesItsDebtWhenItIsRetiredAndDeniesFromThenOn() {
        GuardedBucket bucket = bucket(terms.stateOf(Long.MAX_VALUE));
        assertThat(bucket.tryConsume(3_000).allowed()).isTrue();
        assertThat(bucket.isRetired()).isFalse();
        assertThat(bucket.add(1_000)).isTrue();

        GuardedBucket successor = bucket(bucket.retire());

        assertThat(bucket.isRetired()).isTrue();
        assertThat(bucket.add(1_000)).isFalse();
        assertThat(bucket.peek(1).allowed()).isFalse();
        assertThat(bucket.tryConsume(1).allowed()).isFalse();
        clock.advance(Duration.ofSeconds(30)); // in which some of what it pretends to owe is paid
        assertThat(bucket.decide(1, Long.MAX_VALUE).allowed()).isFalse();
        assertThat(bucket.reserve(1, Long.MAX_VALUE).allowed()).isFalse();
        clock.advance(Duration.ofSeconds(-30));
        assertThat(successor.tryConsume(8_001).allowed()).isFalse();
        assertThat(successor.tryConsume(8_000).allowed()).isTrue();
    }

    @Test
    void owesWhatIsTakenBeyondWhatItHolds() {
        GuardedBucket bucket = bucket(terms.stateOf(Long.MAX_VALUE));
        assertThat(bucket.add(-9_000)).isTrue();
        assertThat(bucket.tryConsume(1_001).allowed()).isFalse();
        assertThat(bucket.tryConsume(1_000).allowed()).isTrue();
        assertThat(bucket.add(-10_000)).isTrue();
        assertThat(bucket.add(9_999)).isTrue();
        assertThat(bucket.tryConsume(1).allowed()).isFalse();
        assertThat(bucket.add(2)).isTrue();
        assertThat(bucket.tryConsume(1).allowed()).isTrue();

        bucket.retire();
        assertThat(bucket.add(-1)).isFalse();
    }

    @Test
    void tellsWhatItHolds() {
        GuardedBucket bucket = bucket(terms.stateOf(Long.MAX_VALUE));
        assertThat(bucket.tryConsume(3).allowed()).isTrue();

        assertThat(bucket).hasToString("TokenBucket[9997 tokens of " + terms + ']');
        assertThat(terms).asString().endsWith("10000/1d");
    }
}
