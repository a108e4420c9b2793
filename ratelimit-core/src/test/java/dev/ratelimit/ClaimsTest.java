package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What lists of claims and other threads do to each other. */
@ParameterizedClass
@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "THREAD_LOCAL") // no limiter has it
class ClaimsTest {
    private final ManualClock time = new ManualClock(ThreadLocalRandom.current().nextLong());
    private final Policy user = Policy.of("user", Limit.parse("400/1d"));
    private final Policy all = Policy.of("all", Limit.parse("1000/1d"));
    private final List<Claim> claims = List.of(new Claim(user, "user0", 1), new Claim(all, "all", 1));
    private final Policy day = Policy.of("day", Limit.parse("1/1d"));
    private final Claim ofDay = new Claim(day, "k", 1);
    private final Synchronization synchronization;
    private final RateLimiter limiter;

    /** Done whenever the clock is read, as by a thread that came in between. */
    private volatile Runnable meanwhile = () -> {};

    private boolean done; // what is done once

    private final NanoClock clock = () -> {
        meanwhile.run();
        return time.nanos();
    };

    ClaimsTest(Synchronization synchronization) {
        this.synchronization = synchronization;
        limiter = LocalRateLimiter.builder()
                .synchronization(synchronization)
                .clock(clock)
                .build();
        for (Claim claim : List.of(claims.get(0), claims.get(1), ofDay)) { // or each had to be made in between
            limiter.tryConsume(List.of(claim));
            limiter.reset(claim.policy(), claim.key());
        }
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

    /** Of many tokens, so that a striped bucket has cells. */
    @Test
    void giveNothingBackThatHasFlowedInAgain() {
        Policy second = Policy.of("second", Limit.parse("100000/1s"));
        limiter.charge(second, "k", 1);
        limiter.reset(second, "k");
        meanwhile = once(() -> !limiter.peek(second, "k", 1).allowed(), () -> {
            time.advance(Duration.ofSeconds(1));
            assertThat(limiter.tryConsume(second, "k", 100_000).allowed()).isTrue();
            assertThat(limiter.tryConsume(day, "k", 1).allowed()).isTrue();
        });

        assertThat(limiter.tryConsume(List.of(new Claim(second, "k", 100_000), ofDay)))
                .extracting(Decision::allowed)
                .containsExactly(true, false);
        assertThat(limiter.peek(second, "k", 1).remaining()).isZero();
        assertThat(limiter.peek(second, "k", 1).allowed()).isFalse();
    }

    @Test
    void giveBackWhatHasNotFlowedInAgainOfEachLimit() {
        Policy both = Policy.of("both", Limit.parse("5/5s"), Limit.parse("10/100s"));
        limiter.tryConsume(both, "k", 1);
        meanwhile = once(() -> limiter.peek(both, "k", 5).remaining() == 1, () -> {
            time.advance(Duration.ofMillis(2_500));
            assertThat(limiter.tryConsume(both, "k", 3).allowed()).isTrue();
            assertThat(limiter.tryConsume(day, "k", 1).allowed()).isTrue();
        });

        assertThat(limiter.tryConsume(List.of(new Claim(both, "k", 3), ofDay)))
                .extracting(Decision::allowed)
                .containsExactly(true, false);

        // the first limit has 3.5 - 3 and gets back 1.5, as 1 of 2.5 that flowed in was owed before; the second gets
        // back all
        assertThat(limiter.peek(both, "k", 5).remaining()).isEqualTo(2);
        assertThat(limiter.peek(both, "k", 5).resetAfterNanos())
                .isEqualTo(Duration.ofMillis(37_500).toNanos());
    }

    @Test
    void giveBackToTheSuccessorOfABucketThatWasRetired() {
        RateLimiter small = LocalRateLimiter.builder()
                .synchronization(synchronization)
                .maximumKeys(1)
                .clock(clock)
                .build();
        small.tryConsume(day, "k", 1);
        small.reset(day, "k");
        small.tryConsume(user, "k", 399);
        meanwhile = once(
                () -> small.peek(user, "k", 1).remaining() == 0
                        && !small.peek(user, "k", 1).allowed(),
                () -> {
                    for (int i = 0; i < 100; i++) {
                        small.tryConsume(user, "other" + i, 1);
                    }
                    small.tryConsume(day, "k", 1);
                });

        assertThat(small.tryConsume(List.of(new Claim(user, "k", 1), ofDay)))
                .extracting(Decision::allowed)
                .containsExactly(true, false);
        assertThat(small.peek(user, "k", 1).allowed()).isTrue();
        assertThat(small.peek(user, "k", 2).allowed()).isFalse();
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

    /** Returns {@code action} with nothing in between its own readings of the clock, to be done when it first is time. */
    private Runnable once(BooleanSupplier isTime, Runnable action) {
        return inBetween(() -> {
            if (isTime.getAsBoolean()) {
                action.run();
                done = true;
            }
        });
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
            meanwhile = done ? () -> {} : self;
        };
    }
}
