package dev.ratelimit.spring.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Sends calls to Redis: those of threads that wait at the same time in one round trip, which costs little more than that of one.
 * Thread-safe.
 *
 * <p>A call is sent at once if few are under way. Else it is sent when one of these is answered, with all that have come
 * meanwhile. As that may be far off, or fail, or never come, whoever waits for the reply to a call that is not sent after a
 * moment calls {@link #sendAll}; so there is no timer, and no thread of its own.
 */
@SuppressWarnings("FutureReturnValueIgnored") // calls report by their replies
final class CallQueue {
    private static final int FEW = 3; // for Redis to work at while replies wake threads; more make for smaller ones
    private static final int MAX_KEYS_TOGETHER = 16; // as all of Redis waits meanwhile

    private final RedisLink link;
    private final BucketScript script;
    private final Queue<Call> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger underWay = new AtomicInteger();
    private volatile boolean hasSlots; // as a cluster, where hardly any two keys are in one

    CallQueue(RedisLink link, BucketScript script) {
        this.link = link;
        this.script = script;
        hasSlots = link.isCluster();
    }

    /** Whether keys have to be in one slot to go together, as far as is known. */
    boolean hasSlots() {
        return hasSlots;
    }

    /** Sends a call, now or soon with others. */
    void send(Call call) {
        if (hasSlots || call.claims.size() >= MAX_KEYS_TOGETHER) {
            sendNow(call);
            return;
        }
        waiting.add(call);
        if (underWay.get() < FEW) {
            sendSome();
        }
    }

    /** Sends what waits. */
    void sendAll() {
        while (!waiting.isEmpty()) {
            sendSome();
        }
    }

    private void sendSome() {
        List<Call> calls = new ArrayList<>();
        int keys = 0;
        while (keys < MAX_KEYS_TOGETHER) {
            Call next = waiting.poll();
            if (next == null) {
                break;
            }
            calls.add(next);
            keys += next.claims.size();
        }
        if (!calls.isEmpty()) {
            sendNow(calls);
        }
    }

    /** Sends a call by itself, before those that wait. */
    void sendNow(Call call) {
        sendNow(List.of(call));
    }

    private void sendNow(List<Call> calls) {
        AtomicBoolean roundTrip = new AtomicBoolean();
        calls.forEach(call -> call.sent(roundTrip));
        underWay.incrementAndGet();
        try {
            script.send(link.commands(), calls).whenComplete((replies, failure) -> answered(calls, replies, failure));
        } catch (RuntimeException | Error e) { // or other threads would wait for replies in vain
            underWay.decrementAndGet();
            BucketScript.complete(calls, null, e);
        }
    }

    private void answered(List<Call> calls, byte @Nullable [] replies, @Nullable Throwable failure) {
        underWay.decrementAndGet();
        if (BucketScript.isForSlots(failure)) {
            hasSlots = true;
            if (calls.size() > 1) {
                calls.forEach(this::sendNow);
                return;
            }
        }
        try {
            if (failure == null) { // or all that wait might fail within one another
                sendSome();
            }
        } finally {
            BucketScript.complete(calls, replies, failure);
        }
    }
}
