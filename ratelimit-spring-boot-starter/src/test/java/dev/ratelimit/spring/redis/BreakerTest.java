package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BreakerTest {
    private final Breaker breaker = new Breaker();

    private void fail(int times) {
        for (int i = 0; i < times; i++) {
            breaker.failed("k");
        }
    }

    @Test
    void opensAfterFiveFailuresInARow() {
        fail(4);
        assertThat(breaker.isOpen()).isFalse();
        assertThat(breaker.succeeded()).isFalse();
        fail(4);
        assertThat(breaker.isOpen()).isFalse();
        assertThat(breaker.failed("k")).isTrue();
        assertThat(breaker.isOpen()).isTrue();
        assertThat(breaker.failed("k")).isFalse();
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
