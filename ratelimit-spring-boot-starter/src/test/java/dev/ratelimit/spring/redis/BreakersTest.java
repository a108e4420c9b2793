package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class BreakersTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final Breakers breakers = new Breakers(clock);
    private final Breaker one = breakers.of("one");
    private final Breaker other = breakers.of("other");

    private boolean open(Breaker breaker) {
        for (int i = 0; i < 4; i++) {
            assertThat(breakers.failed(breaker, "k" + i)).isFalse();
        }
        return breakers.failed(breaker, "k");
    }

    @Test
    void knowsAServerAgain() {
        assertThat(breakers.of("one")).isSameAs(one).isNotSameAs(other);
    }

    @Test
    void opensForOneServerAlone() {
        assertThat(breakers.isAnyOpen()).isFalse();
        open(one);
        assertThat(one.isOpen()).isTrue();
        assertThat(other.isOpen()).isFalse();
        assertThat(breakers.isAnyOpen()).isTrue();
        List<Breaker> open = new ArrayList<>();
        breakers.forEachOpen(open::add);
        assertThat(open).containsExactly(one);
        assertThat(breakers.succeeded(other)).isFalse();
        assertThat(one.isOpen()).isTrue();
    }

    @Test
    void tellsTheFirstThatOpensAndTheLastThatCloses() {
        assertThat(open(one)).isTrue();
        assertThat(open(other)).isFalse();
        assertThat(breakers.succeeded(one)).isFalse();
        assertThat(breakers.isAnyOpen()).isTrue();
        assertThat(breakers.succeeded(other)).isTrue();
        assertThat(breakers.isAnyOpen()).isFalse();
        assertThat(open(other)).isTrue();
    }

    @Test
    void asksForProbesAtOnceAndThenOnceASecond() {
        assertThat(breakers.areProbesDue()).isFalse();
        open(one);
        assertThat(breakers.areProbesDue()).isTrue();
        clock.advance(Duration.ofMillis(999));
        open(other);
        assertThat(breakers.areProbesDue()).isFalse();
        clock.advance(Duration.ofMillis(1));
        assertThat(breakers.areProbesDue()).isTrue();
        assertThat(breakers.areProbesDue()).isFalse();
    }

    @Test
    void asksForNoMoreThanThatThoughOneOpensAgain() {
        open(one);
        assertThat(breakers.areProbesDue()).isTrue();
        breakers.succeeded(one);
        open(one);
        assertThat(breakers.areProbesDue()).isFalse();
        clock.advance(Duration.ofSeconds(1));
        assertThat(breakers.areProbesDue()).isTrue();
    }
}
