package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What lists of claims and other threads do to each other. */
@ParameterizedClass
@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL") // no limiter has it
class ClaimsTest {
    private final long now = ThreadLocalRandom.current().nextLong();
    private final Policy user = Policy.of("user", Limit.parse("400/1d"));
    private final Policy all = Policy.of("all", Limit.parse("1000/1d"));
    private final List<Claim> claims = List.of(new Claim(user, "user0", 1), new Claim(all, "all", 1));
    private final RateLimiter limiter;

    /** Done whenever the clock is read, as by a thread that came in between. */
    private volatile Runnable meanwhile = () -> {};

    ClaimsTest(Synchronization synchronization) {
        NanoClock clock = () -> {
            meanwhile.run();
            return now;
        };
        limiter = LocalRateLimiter.builder()
                .synchronization(synchronization)
                .clock(clock)
                .build();
        limiter.tryConsume(claims);
        limiter.refund(user, "user0", 1);
        limiter.refund(all, "all", 1);
    }

    @Test
    void giveBackWhatTheyTookWhereAnotherThreadIsQuicker() {
        meanwhile = inBetween(() -> {
            if (!isFull(user, "user0")) {
                limiter.tryConsume(all, "all", 1_000);
            }
        });

        assertThat(limiter.tryConsume(claims)).extracting(Decision::allowed).containsExactly(true, false);
        meanwhile = () -> {};
        assertThat(isFull(user, "user0")).isTrue();
        assertThat(limiter.peek(all, "all", 1).remaining()).isZero();
    }

    @Test
    void takeNothingInPassingWhereADenialCanBeForeseen() {
        limiter.tryConsume(all, "all", 1_000);
        List<Boolean> full = new ArrayList<>();
        meanwhile = inBetween(() -> full.add(isFull(user, "user0")));

        assertThat(limiter.tryConsume(claims)).extracting(Decision::allowed).containsExactly(true, false);
        assertThat(full).isNotEmpty().doesNotContain(false);
    }

    @Test
    void neverPassMoreOftenThanAnyOfTheBudgetsAllows() throws Exception {
        meanwhile = Thread::yield;
        AtomicLong admitted = new AtomicLong();
        Race.of(8, thread -> {
            String key = "user" + thread % 4;
            List<Claim> both = List.of(new Claim(user, key, 1), new Claim(all, "all", 1));
            for (int i = 0; i < 2_000; i++) {
                if (limiter.tryConsume(both).stream().allMatch(Decision::allowed)) {
                    admitted.incrementAndGet();
                }
            }
        });
        long chargedToUsers = 0;
        for (int u = 0; u < 4; u++) {
            chargedToUsers += 400 - limiter.peek(user, "user" + u, 401).remaining();
        }

        assertThat(admitted).hasValue(1_000);
        assertThat(chargedToUsers).isEqualTo(1_000);
    }

    private boolean isFull(Policy policy, String key) {
        return limiter.peek(policy, key, Long.MAX_VALUE).resetAfterNanos() == 0;
    }

    /** Returns {@code action} with nothing in between its own readings of the clock. */
    private Runnable inBetween(Runnable action) {
        return () -> {
            Runnable self = meanwhile;
            meanwhile = () -> {};
            action.run();
            meanwhile = self;
        };
    }
}
