package dev.ratelimit.spring.redis;

import dev.ratelimit.spring.redis.BucketScript.Operation;
import dev.ratelimit.spring.redis.BucketScript.Reply;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What is asked about claims whose keys are in one slot, all or nothing, and the reply to come. Thread-safe. */
final class Call {
    final Operation operation;
    final long number; // what it is depends on the operation, as bucket.lua says
    final List<RedisClaim> claims;

    @Nullable
    final Reply undone; // the reply by which they were charged that are to be given back

    final long madeAt; // a reading of the clock, from before it was sent
    final CompletableFuture<Reply> reply = new CompletableFuture<>();
    private volatile boolean sent;

    Call(Operation operation, long number, List<RedisClaim> claims, long madeAt) {
        this(operation, number, claims, null, madeAt);
    }

    private Call(Operation operation, long number, List<RedisClaim> claims, @Nullable Reply undone, long madeAt) {
        this.operation = operation;
        this.number = number;
        this.claims = claims;
        this.undone = undone;
        this.madeAt = madeAt;
    }

    /** Returns a call that gives back what {@code taken} says was taken by {@code claims}. */
    static Call undoing(List<RedisClaim> claims, Reply taken, long madeAt) {
        return new Call(Operation.UNDO, taken.instant(), claims, taken, madeAt);
    }

    boolean isSent() {
        return sent;
    }

    void sent() {
        sent = true;
    }
}
