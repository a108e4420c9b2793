package dev.ratelimit.benchmarks;

import com.sun.management.ThreadMXBean;
import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.Policy;
import dev.ratelimit.Synchronization;
import dev.ratelimit.TokenBucket;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** Fails if a decision allocates once it is compiled. */
public final class AllocationCheck {
    private static final int DECISIONS = 1_000_000;
    private static final Limit ADMIT = new Limit(1_000_000_000_000L, 300_000_000, Duration.ofSeconds(1));
    private static final Limit DENY = new Limit(100_000, 1, Duration.ofMinutes(15)); // with shares for stripes

    private AllocationCheck() {}

    /** Takes the ways to guard a bucket that are checked in this JVM, or none for all of them. */
    public static void main(String[] args) {
        Synchronization[] all = Stream.of(args).map(Synchronization::valueOf).toArray(Synchronization[]::new);
        boolean clean = true;
        for (Synchronization synchronization : args.length == 0 ? Synchronization.values() : all) {
            String name = synchronization.name();
            clean &= check(name + " admit", bucket(synchronization, ADMIT));
            clean &= check(name + " deny", bucket(synchronization, DENY));
            clean &=
                    check(name + " admit, 2 limits", bucket(synchronization, ADMIT, ADMIT.withCapacity(1_000_000_000)));
            clean &= check(name + " deny, 2 limits", bucket(synchronization, ADMIT, DENY));
            clean &= check(name + " admit by key", limiter(synchronization, ADMIT));
            clean &= check(name + " deny by key", limiter(synchronization, DENY));
        }
        if (!clean) {
            System.exit(1);
        }
    }

    private static BooleanSupplier bucket(Synchronization synchronization, Limit... limits) {
        TokenBucket bucket = TokenBucket.builder()
                .limits(limits)
                .synchronization(synchronization)
                .build();
        return () -> bucket.tryConsume(1).allowed();
    }

    private static BooleanSupplier limiter(Synchronization synchronization, Limit limit) {
        LocalRateLimiter limiter =
                LocalRateLimiter.builder().synchronization(synchronization).build();
        Policy policy = Policy.of("check", limit);
        return () -> limiter.tryConsume(policy, "192.0.2.1", 1).allowed();
    }

    private static boolean check(String name, BooleanSupplier decision) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        allowed(decision); // compiles
        long before = threads.getCurrentThreadAllocatedBytes();
        int allowed = allowed(decision);
        double bytes = (double) (threads.getCurrentThreadAllocatedBytes() - before) / DECISIONS;
        System.out.printf("%-28s %5.1f B, %d allowed%n", name, bytes, allowed);
        return bytes < 0.1;
    }

    private static int allowed(BooleanSupplier decision) {
        int allowed = 0;
        for (int i = 0; i < DECISIONS; i++) {
            allowed += decision.getAsBoolean() ? 1 : 0;
        }
        return allowed;
    }
}
