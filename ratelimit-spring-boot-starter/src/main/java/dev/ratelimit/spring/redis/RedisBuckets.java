package dev.ratelimit.spring.redis;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.redis.BucketScript.Operation;
import io.lettuce.core.RedisCommandTimeoutException;
import io.lettuce.core.RedisException;
import io.lettuce.core.cluster.SlotHash;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * The buckets in Redis: asks for them, waits no longer than a deadline, and asks for nothing while Redis is known to fail or to
 * deny. Thread-safe.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what is sent without waiting reports by itself
final class RedisBuckets implements AutoCloseable {
    private static final int PART_OF_TIMEOUT_TO_QUEUE = 100; // the most that a call waits for others, to go with them

    /** What is asked to see whether Redis decides: whether it runs the script, and can be written to. */
    private static final Policy PROBE = Policy.of("probe", Limit.of(1, Duration.ofSeconds(1)));

    private static final RedisPolicy PROBE_IN_REDIS = new RedisPolicy(PROBE, 1);

    private final RedisLink link;
    private final CallQueue queue;
    private final Duration timeout;
    private final NanoClock clock;
    private final Breakers breakers;
    private final Denials denials;
    final FailureLog log;
    final RedisStats stats;

    RedisBuckets(RedisLink link, BucketScript script, Duration timeout, NanoClock clock, long maximumKeys) {
        this.link = link;
        queue = new CallQueue(link, script);
        this.timeout = timeout;
        this.clock = clock;
        breakers = new Breakers(clock);
        denials = new Denials(clock, maximumKeys);
        log = new FailureLog(clock, breakers);
        stats = new RedisStats(breakers);
        link.start();
    }

    /**
     * Returns the decisions on {@code claims} if they are known without asking, and one of them is a denial; or null.
     *
     * @param elsewhere whether the request is denied anyway, so that it does not matter what they are
     */
    @Nullable
    List<Decision> denied(List<RedisClaim> claims, long patienceMicros, boolean elsewhere) {
        return denials.decide(claims, patienceMicros, elsewhere);
    }

    /** Sends calls about {@code claims}, one for each slot that they are in; or none, if Redis is not there for one of them. */
    List<Call> send(Operation operation, long patienceMicros, List<RedisClaim> claims) {
        List<Call> calls = new ArrayList<>(1);
        for (List<RedisClaim> together : bySlot(claims)) {
            Breaker breaker = breaker(together.get(0));
            if (!isThere(breaker)) {
                return List.of();
            }
            calls.add(new Call(operation, patienceMicros, together, breaker, clock.nanos()));
        }
        for (Call call : calls) {
            queue.send(call);
        }
        return calls;
    }

    private Breaker breaker(RedisClaim claim) {
        return breakers.of(link.server(claim.key()));
    }

    /**
     * Whether a server is there as far as is known. All that are not may be tried whether they are again: for one whose keys have
     * gone to another master nobody asks any more.
     */
    private boolean isThere(Breaker breaker) {
        if (breakers.areProbesDue()) {
            link.refresh();
            breakers.forEachOpen(this::probe);
        }
        return !breaker.isOpen();
    }

    private Collection<List<RedisClaim>> bySlot(List<RedisClaim> claims) {
        if (claims.size() == 1 || !queue.hasSlots()) {
            return List.of(claims);
        }
        Map<Integer, List<RedisClaim>> bySlot = new LinkedHashMap<>();
        claims.forEach(claim -> bySlot.computeIfAbsent(SlotHash.getSlot(claim.key()), slot -> new ArrayList<>())
                .add(claim));
        return bySlot.values();
    }

    /**
     * Waits for the replies to {@code calls}, and returns the decisions on {@code claims}; or null, if not all have come in time.
     */
    @Nullable
    List<Decision> await(List<Call> calls, List<RedisClaim> claims, long patienceMicros) {
        if (calls.isEmpty() || !await(calls)) {
            return null;
        }
        Decision[] decisions = new Decision[claims.size()];
        for (Call call : calls) {
            List<long[]> debts = call.reply.join().debts();
            for (int i = 0; i < debts.size(); i++) {
                RedisClaim claim = call.claims.get(i);
                decisions[claims.indexOf(claim)] = claim.policy().decide(debts.get(i), claim.tokens(), patienceMicros);
            }
        }
        return List.of(decisions);
    }

    private boolean await(List<Call> calls) {
        long since = calls.get(0).madeAt;
        try {
            CompletableFuture<?> all = calls.get(0).reply;
            for (Call call : calls.subList(1, calls.size())) {
                all = CompletableFuture.allOf(all, call.reply);
            }
            await(calls.get(0), all);
            calls.forEach(call -> succeeded(call.breaker));
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            log.because(e); // but it is no fault of Redis
        } catch (TimeoutException | ExecutionException e) {
            calls.forEach(this::judge);
        } finally {
            stats.waited(Math.max(0, clock.nanos() - since));
        }
        return false;
    }

    /** Counts what became of a call until nobody waited for it any longer. */
    private void judge(Call call) {
        if (call.reply.isDone()) {
            call.reply.whenComplete((reply, failure) -> {
                if (failure != null) {
                    failed(call, failure);
                } else {
                    succeeded(call.breaker);
                }
            });
        } else {
            failed(call, noAnswerInTime());
        }
    }

    /** Waits up to the timeout. What is not sent after a part of it is sent then, and where the caller has to go. */
    private void await(Call first, CompletableFuture<?> replies)
            throws InterruptedException, ExecutionException, TimeoutException {
        long nanos = timeout.toNanos();
        if (!first.isSent()) {
            long patience = nanos / PART_OF_TIMEOUT_TO_QUEUE;
            try {
                replies.get(patience, TimeUnit.NANOSECONDS);
                return;
            } catch (TimeoutException e) {
                nanos -= patience;
            } finally {
                if (!first.isSent()) {
                    queue.sendAll();
                }
            }
        }
        replies.get(nanos, TimeUnit.NANOSECONDS);
    }

    /** Remembers the replies to {@code calls} about a request that was denied, here or there, as it may come again at once. */
    void remember(List<Call> calls) {
        for (Call call : calls) {
            List<long[]> debts = call.reply.join().debts();
            for (int i = 0; i < debts.size(); i++) {
                denials.remember(call.claims.get(i), debts.get(i), call.madeAt);
            }
        }
    }

    /** Gives back what {@code calls} have taken, or take later than anybody waits for, but for what has flowed in again. */
    void giveBack(List<Call> calls) {
        for (Call call : calls) {
            call.reply.thenAccept(taken -> {
                if (taken.allowed()) {
                    call.claims.forEach(denials::forget);
                    tell(Call.undoing(call.claims, taken, call.breaker, clock.nanos()));
                }
            });
        }
    }

    /** Changes a bucket without waiting for it, and returns whether Redis is there to do so, as far as is known. */
    boolean tell(Operation operation, RedisClaim claim) {
        denials.forget(claim);
        Breaker breaker = breaker(claim);
        boolean isThere = isThere(breaker);
        if (isThere) {
            tell(new Call(operation, 0, List.of(claim), breaker, clock.nanos()));
        }
        return isThere;
    }

    private void tell(Call call) {
        queue.sendNow(call);
        report(call);
    }

    /**
     * Fills a bucket.
     *
     * @throws IllegalStateException if Redis does not say that it did so
     */
    void reset(RedisClaim claim) {
        denials.forget(claim);
        Call call = new Call(Operation.RESET, 0, List.of(claim), breaker(claim), clock.nanos());
        queue.sendNow(call);
        try {
            call.reply.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted before Redis said that it has reset the bucket", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("Redis did not say that it has reset the bucket", e);
        }
        denials.forget(claim);
    }

    /** Sees to what becomes of a call that nobody waits for; that it is answered means nothing, if nobody would have waited. */
    private void report(Call call) {
        call.reply.whenComplete((done, failure) -> {
            if (failure != null) {
                failed(call, failure);
            } else if (isInTime(call.madeAt)) {
                succeeded(call.breaker);
            }
        });
    }

    private boolean isInTime(long sentAt) {
        return clock.nanos() - sentAt <= timeout.toNanos();
    }

    private void succeeded(Breaker breaker) {
        if (breakers.succeeded(breaker)) {
            log.closed();
        }
    }

    private void failed(Call call, Throwable failure) {
        Throwable cause = causeOf(failure);
        stats.failed(cause);
        log.because(cause);
        if (UnreadableValueException.is(cause) || BucketScript.isForSlots(cause)) {
            return; // which says nothing of how Redis is; of slots, the queue knows from now on
        }
        if (call.isFirstToFail()
                && breakers.failed(call.breaker, call.claims.get(0).key())) {
            log.opened();
        }
    }

    private static Throwable causeOf(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    private RedisException noAnswerInTime() {
        return new RedisCommandTimeoutException("no answer in " + timeout.toMillis() + " ms");
    }

    /**
     * Tries in the background whether a server decides, and is as fast as it has to be; over another connection, if
     * the last try had no answer or an error for one.
     */
    private void probe(Breaker breaker) {
        CompletableFuture<Void> connected;
        if (breaker.isProbeUnanswered()) {
            connected = link.renew();
        } else {
            link.doubt();
            connected = link.connect();
        }
        breaker.probed();
        connected.thenAccept(done -> sendProbe(breaker)).whenComplete((done, failure) -> {
            if (failure != null) {
                probeFailed(failure);
            }
        });
    }

    /** Fills a bucket that nobody else asks for, in the slot of what failed. */
    private void sendProbe(Breaker breaker) {
        RedisClaim claim =
                new RedisClaim(new Claim(PROBE, "probe", 1), PROBE_IN_REDIS, "", breaker.failedKey() + ":probe");
        Call call = new Call(Operation.RESET, 0, List.of(claim), breaker, clock.nanos());
        call.reply.whenComplete((reply, failure) -> {
            if (failure == null) {
                breaker.probeAnswered();
            }
            if (!isInTime(call.madeAt)) {
                probeFailed(noAnswerInTime()); // and not that its connection was given up since
            } else if (failure != null) {
                probeFailed(failure);
            } else {
                succeeded(breaker);
            }
        });
        queue.sendNow(call);
    }

    private void probeFailed(Throwable failure) {
        Throwable cause = causeOf(failure);
        stats.failed(cause);
        log.because(cause);
    }

    @Override
    public void close() {
        link.close();
    }
}
