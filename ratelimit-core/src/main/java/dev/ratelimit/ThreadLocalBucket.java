package dev.ratelimit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.function.Function;

/**
 * The bucket behind {@link Synchronization#THREAD_LOCAL}.
 *
 * <p>It is the bucket that knows its threads, weakly, and not the threads that know it, as they would by a
 * {@link ThreadLocal}: so neither a dead thread's bucket stays behind, nor, in a pool's thread, the class loader of an
 * application that is gone.
 */
final class ThreadLocalBucket extends TokenBucket {
    private static final MethodHandle IS_VIRTUAL = isVirtualHandle();

    private final Terms terms;
    private final GuardedBucket ofVirtualThreads;
    private final Function<Thread, GuardedBucket> newBucket;
    private final Cache<Thread, GuardedBucket> buckets =
            Caffeine.newBuilder().weakKeys().executor(Runnable::run).build();

    ThreadLocalBucket(Terms terms, long[] state) {
        long[] debts = terms.debts(state, terms.anchor(state));
        this.terms = terms;
        newBucket = thread -> CasBucket.of(terms, terms.stateOwing(debts, terms.clock.nanos()));
        ofVirtualThreads = CasBucket.of(terms, state);
    }

    /** Virtual threads came with JDK 21. */
    private static MethodHandle isVirtualHandle() {
        MethodType type = MethodType.methodType(boolean.class);
        try {
            return MethodHandles.publicLookup().findVirtual(Thread.class, "isVirtual", type);
        } catch (ReflectiveOperationException e) {
            return MethodHandles.dropArguments(MethodHandles.constant(boolean.class, false), 0, Thread.class);
        }
    }

    private static boolean isVirtual(Thread thread) {
        try {
            return (boolean) IS_VIRTUAL.invokeExact(thread);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private GuardedBucket own() {
        Thread thread = Thread.currentThread();
        return isVirtual(thread) ? ofVirtualThreads : buckets.get(thread, newBucket);
    }

    /** Returns how many threads have a bucket, after those that are gone were forgotten. */
    long threads() {
        buckets.cleanUp();
        return buckets.estimatedSize();
    }

    @Override
    Decision reserve(long tokens, long maxWaitNanos, Charges charges) {
        return own().reserve(tokens, maxWaitNanos, charges);
    }

    @Override
    Decision decide(long tokens, long maxWaitNanos) {
        return own().decide(tokens, maxWaitNanos);
    }

    @Override
    void refundNow(long tokens) {
        own().refundNow(tokens);
    }

    @Override
    NanoClock clock() {
        return terms.clock;
    }

    @Override
    public String toString() {
        return "TokenBucket[" + terms + " for each thread]";
    }
}
