package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ManualClockTest {
    private final ManualClock clock = new ManualClock(Long.MAX_VALUE);

    @Test
    void movesOnlyWhenTold() throws InterruptedException {
        clock.advance(Duration.ofNanos(1));
        assertThat(clock.nanos()).isEqualTo(Long.MIN_VALUE);

        clock.set(7);
        clock.advance(Duration.ofNanos(-3));
        clock.sleep(10);
        clock.sleep(-10);
        assertThat(clock.nanos()).isEqualTo(14);
        assertThat(clock).hasToString("ManualClock[14 ns]");
    }

    @Test
    void doesNotSleepOnAnInterruptedThreadAndNorDoesTheSystemsClock() {
        for (NanoClock each : List.of(clock, NanoClock.SYSTEM)) {
            Thread.currentThread().interrupt();

            assertThatExceptionOfType(InterruptedException.class)
                    .isThrownBy(() -> each.sleep(Duration.ofSeconds(1).toNanos()));
            assertThat(Thread.currentThread().isInterrupted()).isFalse();
        }
        assertThat(clock.nanos()).isEqualTo(Long.MAX_VALUE);
    }
}
