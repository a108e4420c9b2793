package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs charges that are undone beside a model in which tokens flow in for those who came first. */
@ParameterizedClass
@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STRIPED") // whose cells are those of CAS
class ChargesTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final SplittableRandom random = new SplittableRandom(31);
    private final Synchronization synchronization;

    ChargesTest(Synchronization synchronization) {
        this.synchronization = synchronization;
    }

    /** A charge, and what is not paid of it under one limit. */
    private static final class Unpaid {
        private final Charges owner;
        private BigInteger parts;

        Unpaid(Charges owner, BigInteger parts) {
            this.owner = owner;
            this.parts = parts;
        }
    }

    /** What is owed under one limit, in the order in which it is paid; a token has as many parts as the period nanoseconds. */
    private record Line(Limit limit, Deque<Unpaid> line) {

        void take(Charges owner, long tokens) {
            line.add(new Unpaid(owner, period().multiply(BigInteger.valueOf(tokens))));
        }

        void undo(Charges owner) {
            line.removeIf(each -> each.owner.equals(owner));
        }

        void advance(long nanos) {
            BigInteger left = refill().multiply(BigInteger.valueOf(nanos));
            while (left.signum() > 0 && !line.isEmpty()) {
                Unpaid first = line.element();
                BigInteger paid = first.parts.min(left);
                left = left.subtract(paid);
                first.parts = first.parts.subtract(paid);
                if (first.parts.signum() == 0) {
                    line.remove();
                }
            }
        }

        long remaining() {
            BigInteger capacity = period().multiply(BigInteger.valueOf(limit.capacity()));
            return capacity.subtract(debt())
                    .max(BigInteger.ZERO)
                    .divide(period())
                    .longValueExact();
        }

        long resetAfterNanos() {
            return debt().add(refill())
                    .subtract(BigInteger.ONE)
                    .divide(refill())
                    .longValueExact();
        }

        private BigInteger debt() {
            return line.stream().map(each -> each.parts).reduce(BigInteger.ZERO, BigInteger::add);
        }

        private BigInteger period() {
            return BigInteger.valueOf(limit.refillPeriod().toNanos());
        }

        private BigInteger refill() {
            return BigInteger.valueOf(limit.refillTokens());
        }
    }

    @Test
    void giveBackExactlyWhatHasNotFlowedInAgain() {
        for (int round = 0; round < 2_000; round++) {
            run(round, 1);
        }
    }

    /** One that is undone moves the others, so that more of them has flowed in than they can know of. */
    @Test
    void neverGiveBackMoreThanThatWhereSeveralAreUndone() {
        for (int round = 0; round < 2_000; round++) {
            run(round, 4);
        }
    }

    private void run(int round, int mostAtATime) {
        List<Line> lines = Stream.generate(() -> new Line(limit(), new ArrayDeque<>()))
                .limit(random.nextInt(1, 4))
                .toList();
        TokenBucket bucket = TokenBucket.builder()
                .limits(lines.stream().map(Line::limit).toArray(Limit[]::new))
                .synchronization(synchronization)
                .clock(clock)
                .build();
        List<Charges> open = new ArrayList<>();
        for (int step = 0; step < 40; step++) {
            if (random.nextInt(3) == 0 && !open.isEmpty()) {
                Charges undone = open.remove(random.nextInt(open.size()));
                bucket.undo(undone);
                lines.forEach(line -> line.undo(undone));
            } else {
                long tokens = random.nextLong(1, 8);
                Charges charges = new Charges();
                if (bucket.reserve(tokens, random.nextInt(2) * 5_000L, charges).allowed()) {
                    lines.forEach(line -> line.take(charges, tokens));
                    if (open.size() < mostAtATime) {
                        open.add(charges);
                    }
                }
            }
            Decision now = bucket.peek(Long.MAX_VALUE);
            long remaining = lines.stream().mapToLong(Line::remaining).min().orElseThrow();
            long resetAfterNanos =
                    lines.stream().mapToLong(Line::resetAfterNanos).max().orElseThrow();
            String where = "round " + round + ", step " + step + ", " + bucket;
            if (mostAtATime == 1) {
                assertThat(now.remaining()).as(where).isEqualTo(remaining);
                assertThat(now.resetAfterNanos()).as(where).isEqualTo(resetAfterNanos);
            } else {
                assertThat(now.remaining()).as(where).isLessThanOrEqualTo(remaining);
                assertThat(now.resetAfterNanos()).as(where).isGreaterThanOrEqualTo(resetAfterNanos);
            }
            long nanos = random.nextInt(3) == 0 ? 0 : random.nextLong(1 + now.resetAfterNanos());
            clock.advance(Duration.ofNanos(nanos));
            lines.forEach(line -> line.advance(nanos));
        }
    }

    private Limit limit() {
        return new Limit(random.nextInt(1, 20), random.nextInt(1, 20), Duration.ofNanos(random.nextInt(20, 10_000)));
    }
}
