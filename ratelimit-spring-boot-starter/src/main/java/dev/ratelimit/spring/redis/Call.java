package dev.ratelimit.spring.redis;

import dev.ratelimit.spring.redis.BucketScript.Operation;
import dev.ratelimit.spring.redis.BucketScript.Reply;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** What is asked about claims whose keys are in one slot, all or nothing, and the reply to come. Thread-safe. */
final class Call {
    final Operation operation;
    final long number; // what it is depends on the operation, as bucket.lua says
    final List<RedisClaim> claims;
    final Breaker breaker; // of the server that has these keys

    @Nullable
    final Reply undone; // the reply by which they were charged that are to be given back

    final long madeAt; // a reading of the clock, from before it was sent
    final CompletableFuture<Reply> reply = new CompletableFuture<>();
    private volatile @Nullable AtomicBoolean roundTrip; // once it is sent: whether those who went together have failed

    Call(Operation operation, long number, List<RedisClaim> claims, Breaker breaker, long madeAt) {
        this(operation, number, claims, breaker, null, madeAt);
    }

    private Call(
            Operation operation,
            long number,
            List<RedisClaim> claims,
            Breaker breaker,
            @Nullable Reply undone,
            long madeAt) {
        this.operation = operation;
        this.number = number;
        this.claims = claims;
        this.breaker = breaker;
        this.undone = undone;
        this.madeAt = madeAt;
    }

    /** Returns a call that gives back what {@code taken} says was taken by {@code claims}. */
    static Call undoing(List<RedisClaim> claims, Reply taken, Breaker breaker, long madeAt) {
        return new Call(Operation.UNDO, taken.instant(), claims, breaker, taken, madeAt);
    }

    boolean isSent() {
        return roundTrip != null;
    }

    /** Takes note of the round trip that it makes with others, as one that has not failed. */
    void sent(AtomicBoolean roundTrip) {
        this.roundTrip = roundTrip;
    }

    /** Returns true to one caller of all whose calls were sent together. */
    boolean isFirstToFail() {
        AtomicBoolean failed = roundTrip;
        return failed == null || failed.compareAndSet(false, true);
    }
}
