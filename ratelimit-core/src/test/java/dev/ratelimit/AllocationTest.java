package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A caller who only asks whether it was allowed pays for no object. That is up to the compiler, and what it inlines
 * depends on all that ran before: so each case is counted, in bytes, in a JVM of its own.
 */
class AllocationTest {
    private static final int DECISIONS = 1_000_000;
    private static final int ROUNDS = 20;

    /** Far less than an object, and more than what a JVM does besides. */
    private static final double NOTHING = 0.1;

    @ParameterizedTest
    @CsvSource({"CAS, ADMIT", "CAS, DENY"})
    void ofABucketAllocatesNothing(Synchronization synchronization, Answer answer) throws Exception {
        assertAllocatesNothing("BUCKET", synchronization, answer);
    }

    @ParameterizedTest
    @CsvSource({"CAS, ADMIT", "CAS, DENY"})
    void byKeyAllocatesNothing(Synchronization synchronization, Answer answer) throws Exception {
        assertAllocatesNothing("KEY", synchronization, answer);
    }

    enum Answer {
        ADMIT,
        DENY;

        Limit limit() {
            return this == ADMIT
                    ? new Limit(1_000_000_000_000L, 300_000_000, Duration.ofSeconds(1))
                    : Limit.of(1, Duration.ofDays(1));
        }
    }

    private static void assertAllocatesNothing(String what, Synchronization synchronization, Answer answer)
            throws Exception {
        assertThat(Jvm.run(List.of(), AllocationTest.class, what, synchronization.name(), answer.name()))
                .isEqualTo("allocates nothing");
    }

    /** Says so as soon as a round allocates nothing; until then the compiler may not be done. */
    public static void main(String[] args) {
        Synchronization synchronization = Synchronization.valueOf(args[1]);
        Limit limit = Answer.valueOf(args[2]).limit();
        BooleanSupplier decision =
                args[0].equals("KEY") ? byKey(synchronization, limit) : bucket(synchronization, limit);
        double bytes = bytesOf(decision);
        for (int i = 1; i < ROUNDS && bytes > NOTHING; i++) {
            bytes = bytesOf(decision);
        }
        System.out.println(bytes > NOTHING ? "allocates " + bytes + " bytes a decision" : "allocates nothing");
    }

    private static BooleanSupplier bucket(Synchronization synchronization, Limit limit) {
        TokenBucket bucket = TokenBucket.builder()
                .limits(limit)
                .synchronization(synchronization)
                .build();
        return () -> bucket.tryConsume(1).allowed();
    }

    private static BooleanSupplier byKey(Synchronization synchronization, Limit limit) {
        LocalRateLimiter limiter =
                LocalRateLimiter.builder().synchronization(synchronization).build();
        Policy policy = Policy.of("allocation", limit);
        return () -> limiter.tryConsume(policy, "192.0.2.1", 1).allowed();
    }

    private static double bytesOf(BooleanSupplier decision) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();
        long before = threads.getThreadAllocatedBytes(thread);
        int allowed = 0;
        for (int i = 0; i < DECISIONS; i++) {
            allowed += decision.getAsBoolean() ? 1 : 0;
        }
        if (allowed > 1 && allowed < DECISIONS) {
            throw new AssertionError("neither all nor one at the most were allowed: " + allowed);
        }
        return (double) (threads.getThreadAllocatedBytes(thread) - before) / DECISIONS;
    }
}
