package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class BreakerTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final Breaker breaker = new Breaker(clock);

    private void fail(int times) {
        for (int i = 0; i < times; i++) {
            breaker.failed();
        }
    }

    @Test
    void opensAfterFiveFailuresInARow() {
        fail(4);
        assertThat(breaker.isOpen()).isFalse();
        assertThat(breaker.succeeded()).isFalse();
        fail(4);
        assertThat(breaker.isOpen()).isFalse();
        assertThat(breaker.failed()).isTrue();
        assertThat(breaker.isOpen()).isTrue();
        assertThat(breaker.failed()).isFalse();
    }

    @Test
    void asksForAProbeAtOnceAndThenOnceASecond() {
        fail(5);
        assertThat(breaker.isProbeDue()).isTrue();
        clock.advance(Duration.ofMillis(999));
        fail(1);
        assertThat(breaker.isProbeDue()).isFalse();
        clock.advance(Duration.ofMillis(1));
        assertThat(breaker.isProbeDue()).isTrue();
        assertThat(breaker.isProbeDue()).isFalse();
    }

    @Test
    void asksForNoMoreThanThatThoughItOpensAgain() {
        fail(5);
        assertThat(breaker.isProbeDue()).isTrue();
        breaker.succeeded();
        fail(5);
        assertThat(breaker.isProbeDue()).isFalse();
        clock.advance(Duration.ofSeconds(1));
        assertThat(breaker.isProbeDue()).isTrue();
    }

    @Test
    void closesByASuccess() {
        fail(7);
        assertThat(breaker.succeeded()).isTrue();
        assertThat(breaker.isOpen()).isFalse();
        assertThat(breaker.succeeded()).isFalse();
        fail(4);
        assertThat(breaker.isOpen()).isFalse();
    }
}
