package dev.ratelimit.spring.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Sends calls to Redis: those of threads that wait at the same time in one round trip, which costs little more than that of one.
 * Thread-safe.
 *
 * <p>A call is sent at once if few are under way. Else it is sent when one of these is answered, with all that have come
 * meanwhile. As that may be far off, or never come, whoever waits for a reply calls {@link #sendAll} after a moment; so there
 * is no timer, and no thread of its own.
 */
@SuppressWarnings("FutureReturnValueIgnored") // calls report by their replies
final class CallQueue {
    private static final int FEW = 2; // one for Redis to work at while the replies of the other wake their threads
    private static final int MAX_TOGETHER = 16; // as all of Redis waits meanwhile

    private final RedisLink link;
    private final BucketScript script;
    private final Queue<Call> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger underWay = new AtomicInteger();

    CallQueue(RedisLink link, BucketScript script) {
        this.link = link;
        this.script = script;
    }

    /** Sends a call, now or soon with others. */
    void send(Call call) {
        if (link.isCluster()) { // where hardly any two are in one slot
            sendNow(List.of(call));
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
        Call next = waiting.poll();
        while (next != null) {
            calls.add(next);
            next = calls.size() < MAX_TOGETHER ? waiting.poll() : null;
        }
        if (!calls.isEmpty()) {
            sendNow(calls);
        }
    }

    /** Sends calls whose keys are in one slot, before those that wait. */
    void sendNow(List<Call> calls) {
        underWay.incrementAndGet();
        try {
            script.send(link.commands(), calls).whenComplete((replies, failure) -> {
                underWay.decrementAndGet();
                if (failure == null) { // or all that wait might fail within one another
                    sendSome();
                }
                BucketScript.complete(calls, replies, failure);
            });
        } catch (RuntimeException | Error e) { // or other threads would wait for replies in vain
            underWay.decrementAndGet();
            BucketScript.complete(calls, null, e);
        }
    }
}
