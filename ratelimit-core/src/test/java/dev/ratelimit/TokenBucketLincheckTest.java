package dev.ratelimit;

import java.time.Duration;
import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jetbrains.lincheck.datastructures.LongGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TokenBucketLincheckTest {

    static Stream<Class<? extends Calls>> buckets() {
        return Stream.of(
                LockCalls.class,
                StampedCalls.class,
                CasCalls.class,
                CasCallsAfterAWeek.class,
                CasCallsAfterHalfAYear.class,
                CasArrayCalls.class,
                JointCalls.class);
    }

    @ParameterizedTest
    @MethodSource("buckets")
    void decidesAsInSomeOrderOfTheCalls(Class<? extends Calls> calls) {
        Interleavings.check(Interleavings.modelled(Decision.class, Gcra.class, Limit.class), calls);
    }

    @ParameterizedTest
    @MethodSource("buckets")
    void decidesAsInSomeOrderOfTheCallsOnRealThreads(Class<? extends Calls> calls) {
        Interleavings.check(Interleavings.onRealThreads(), calls);
    }

    private static TokenBucket.Builder bucket(Synchronization synchronization, String... limits) {
        return TokenBucket.builder()
                .synchronization(synchronization)
                .limits(Stream.of(limits).map(Limit::parse).toArray(Limit[]::new));
    }

    /** Each call has a reading of the clock of its own, as threads have that are overtaken after they took it. */
    @Param(name = "nanos", gen = LongGen.class, conf = "0:3")
    @Param(name = "tokens", gen = LongGen.class, conf = "1:3")
    public abstract static class Calls {
        private final ThreadLocal<Long> reading = ThreadLocal.withInitial(() -> 0L);
        final TokenBucket bucket;

        Calls(Function<NanoClock, TokenBucket> newBucket) {
            bucket = newBucket.apply(reading::get);
        }

        @Operation
        public Decision tryConsume(@Param(name = "nanos") long nanos, @Param(name = "tokens") long tokens) {
            read(nanos);
            return bucket.tryConsume(tokens);
        }

        @Operation
        public Decision reserve(@Param(name = "nanos") long nanos, @Param(name = "tokens") long tokens) {
            read(nanos);
            return bucket.reserve(tokens, /* maxWaitNanos= */ 2);
        }

        @Operation
        public Decision peek(@Param(name = "nanos") long nanos, @Param(name = "tokens") long tokens) {
            read(nanos);
            return bucket.peek(tokens);
        }

        @Operation
        public void refund(@Param(name = "nanos") long nanos, @Param(name = "tokens") long tokens) {
            read(nanos);
            bucket.refund(tokens);
        }

        void read(long nanos) {
            reading.set(nanos);
        }
    }

    /** Calls of a bucket that can be retired. */
    public abstract static class GuardedCalls extends Calls {
        GuardedCalls(TokenBucket.Builder builder) {
            super(clock -> builder.clock(clock).build());
        }

        @Operation(runOnce = true)
        public String retire(@Param(name = "nanos") long nanos) {
            read(nanos);
            GuardedBucket guarded = (GuardedBucket) bucket;
            return Arrays.toString(guarded.terms.debts(guarded.retire(), guarded.terms.clock.nanos()));
        }
    }

    public static final class LockCalls extends GuardedCalls {
        public LockCalls() {
            super(bucket(Synchronization.LOCK, "1/1ns burst 3", "1/2ns burst 4"));
        }
    }

    public static final class StampedCalls extends GuardedCalls {
        public StampedCalls() {
            super(bucket(Synchronization.STAMPED, "1/1ns burst 3", "1/2ns burst 4"));
        }
    }

    public static final class CasCalls extends GuardedCalls {
        public CasCalls() {
            super(bucket(Synchronization.CAS, "1/1ns burst 3"));
        }
    }

    /** Of an empty bucket that fills for weeks, one week on: whoever comes first has to renew its anchor. */
    public static final class CasCallsAfterAWeek extends GuardedCalls {
        public CasCallsAfterAWeek() {
            super(bucket(Synchronization.CAS, "1000/1001ns burst 1000000000000000")
                    .initialTokens(0));
        }

        @Override
        void read(long nanos) {
            super.read(Duration.ofDays(7).toNanos());
        }
    }

    /** Of a full bucket, so much later that what it last wrote looks like a debt again. */
    public static final class CasCallsAfterHalfAYear extends GuardedCalls {
        public CasCallsAfterHalfAYear() {
            super(bucket(Synchronization.CAS, "1000/1001ns burst 3"));
        }

        @Override
        void read(long nanos) {
            super.read(Duration.ofDays(200).toNanos());
        }
    }

    public static final class CasArrayCalls extends GuardedCalls {
        public CasArrayCalls() {
            super(bucket(Synchronization.CAS, "1/1ns burst 3", "1/2ns burst 4"));
        }
    }

    public static final class JointCalls extends Calls {
        public JointCalls() {
            super(clock -> TokenBucket.allOf(
                    bucket(Synchronization.LOCK, "1/1ns burst 3").clock(clock).build(),
                    bucket(Synchronization.LOCK, "1/2ns burst 4").clock(clock).build()));
        }
    }
}
