package dev.ratelimit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import dev.ratelimit.Charges.Charge;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The buckets of one policy, by key. Thread-safe.
 *
 * <p>A bucket that is full is the same as none, so for each one that is made a few others are looked at, and forgotten if
 * they are full. It is the bucket that says so, and not a cache that expires: that would have to read the clock once more,
 * and write down each use, to know less. So of those that are tracked about half are not full, or are those that were asked
 * for since they were last looked at.
 *
 * <p>A bucket that is forgotten, or that Caffeine evicts for want of room, is retired in the same atomic step in which it is
 * removed, and what it owed goes to a ledger. A thread that still holds it is denied by it, sees that it is retired, and asks
 * again; the bucket it then gets begins with the debt. So no interleaving of eviction and consumption forgets a token.
 *
 * <p>A key may be asked for under other limits than before, since they were changed or since not all clients have the same:
 * then its bucket is replaced by one under those limits, with the tokens it had.
 */
final class PolicyBuckets {
    private static final int MAX_KNOWN_TERMS = 64;
    private static final int LOOKED_AT_FOR_EACH_NEW = 2;

    private static final long CLOCK_SKEW_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** The limits that were asked for first or changed to last; a shortcut to what {@link #known} says of them. */
    private record Current(Policy policy, Terms terms) {}

    private final Synchronization synchronization;
    private final NanoClock clock;
    private final Cache<String, GuardedBucket> buckets;
    private final DebtLedgers ledgers;
    private final Cache<Policy, Terms> known = Caffeine.newBuilder()
            .maximumSize(MAX_KNOWN_TERMS)
            .executor(Runnable::run)
            .build();

    /**
     * Never shrinks: a list of limits that nobody asked for lately may be asked for again, and a key that was forgotten
     * meanwhile would be full under it.
     */
    private final AtomicLong patienceNanos = new AtomicLong(CLOCK_SKEW_NANOS);

    private final AtomicBoolean looking = new AtomicBoolean();
    private Iterator<Map.Entry<String, GuardedBucket>> others = Collections.emptyIterator(); // for whoever is looking
    private volatile Current current;

    PolicyBuckets(Policy policy, Synchronization synchronization, NanoClock clock, long maximumKeys) {
        this.synchronization = synchronization;
        this.clock = clock;
        ledgers = new DebtLedgers(maximumKeys);
        current = new Current(policy, new Terms(policy.limits(), clock));
        known.put(policy, current.terms);
        buckets = Caffeine.newBuilder()
                .maximumSize(maximumKeys)
                .evictionListener(this::evicted)
                .executor(Runnable::run) // no threads of our own, and none of the common pool
                .build();
    }

    /** Returns the bucket of {@code key}; it may be retired at any time, and denies then. */
    GuardedBucket bucket(Policy policy, String key) {
        return bucket(terms(policy), KeyDigest.of(key));
    }

    /** Decides without keeping a bucket for a key that has none, or other limits for one that has. */
    Decision decide(Policy policy, String key, long tokens, long maxWaitNanos) {
        Terms terms = terms(policy);
        String kept = KeyDigest.of(key);
        while (true) {
            GuardedBucket bucket = buckets.getIfPresent(kept);
            GuardedBucket looked = bucket == null
                    ? newBucket(terms, kept)
                    : areSame(bucket.terms, terms) ? bucket : successor(terms, bucket.terms, bucket.state());
            Decision decision = looked.decide(tokens, maxWaitNanos);
            if (bucket == null || !bucket.isRetired()) {
                return decision;
            }
            dropIfRetired(kept);
        }
    }

    /** Gives back to a key that may owe something; one that is not tracked and has no debt is full. */
    void refund(Policy policy, String key, long tokens) {
        Gcra.requirePositive("tokens", tokens);
        Terms terms = terms(policy);
        String kept = KeyDigest.of(key);
        boolean done = buckets.getIfPresent(kept) == null
                && DebtLedgers.isZero(ledgers.debts(kept, terms, clock.nanos(), patienceNanos.get()));
        while (!done) {
            done = bucket(terms, kept).add(tokens);
        }
    }

    /**
     * Gives back a charge of a bucket that is retired, to its successor. Under other limits, or where it may have been under
     * others in between, it is not known what has flowed in again, and nothing is given back.
     */
    void undo(Policy policy, String key, Charge charge) {
        Terms terms = terms(policy);
        String kept = KeyDigest.of(key);
        boolean done = !areSame(charge.bucket().terms, terms);
        while (!done) {
            done = isUnderOthers(terms, kept) || undo(bucket(terms, kept), charge);
        }
    }

    /** It left other terms and came under these before it could be had, so that the changes of both include its own. */
    private static boolean undo(GuardedBucket bucket, Charge charge) {
        return bucket.terms.changes.get() != charge.changes() || bucket.undo(charge);
    }

    private boolean isUnderOthers(Terms terms, String key) {
        GuardedBucket bucket = buckets.getIfPresent(key);
        return bucket != null && !bucket.isRetired() && !areSame(bucket.terms, terms);
    }

    void charge(Policy policy, String key, long tokens) {
        Gcra.requirePositive("tokens", tokens);
        Terms terms = terms(policy);
        String kept = KeyDigest.of(key);
        boolean done = false;
        while (!done) {
            done = bucket(terms, kept).add(-tokens);
        }
    }

    @SuppressWarnings("ReferenceEquality") // the quick answer; the map's equals has the last word
    private Terms terms(Policy policy) {
        Current shortcut = current;
        if (shortcut.policy == policy) {
            return shortcut.terms;
        }
        Terms terms = known.getIfPresent(policy);
        return terms == null ? newTerms(policy) : terms;
    }

    /** Terms may be forgotten at any time: the same limits then come with new ones, and tokens are carried over. */
    private Terms newTerms(Policy policy) {
        Terms made = new Terms(policy.limits(), clock);
        for (Terms each : List.of(made, current.terms)) { // before anybody can ask under them
            patienceNanos.accumulateAndGet(each.nanosToFull() + CLOCK_SKEW_NANOS, Math::max);
        }
        Terms terms = known.get(policy, unused -> made);
        current = new Current(policy, terms);
        return terms;
    }

    private GuardedBucket bucket(Terms terms, String key) {
        GuardedBucket bucket = buckets.getIfPresent(key);
        if (bucket == null) {
            bucket = buckets.get(key, absent -> newBucket(terms, absent));
            forgetSome();
        }
        return areSame(bucket.terms, terms) && !bucket.isRetired() ? bucket : carriedOver(terms, key);
    }

    private GuardedBucket newBucket(Terms terms, String key) {
        long nanos = clock.nanos();
        return bucketOwing(terms, ledgers.debts(key, terms, nanos, patienceNanos.get()), nanos);
    }

    @SuppressWarnings("ReferenceEquality") // for speed: carrying over to equal terms changes nothing
    private static boolean areSame(Terms one, Terms other) {
        return one == other;
    }

    /** Waits for whoever is about to replace a bucket; drops it if an error kept them from it, or all would wait for ever. */
    private void dropIfRetired(String key) {
        buckets.asMap().computeIfPresent(key, (same, bucket) -> bucket.isRetired() ? null : bucket);
    }

    private GuardedBucket carriedOver(Terms terms, String key) {
        return Objects.requireNonNull(buckets.asMap().compute(key, (same, old) -> {
            if (old == null || old.isRetired()) {
                return newBucket(terms, key);
            }
            if (areSame(old.terms, terms)) {
                return old;
            }
            terms.changes.incrementAndGet();
            old.terms.changes.incrementAndGet(); // it may be forgotten under these, and begin anew under those
            return successor(terms, old.terms, old.retire());
        }));
    }

    private GuardedBucket successor(Terms terms, Terms old, long[] state) {
        long nanos = old.now(state, clock.nanos());
        return bucketOwing(terms, terms.carried(old, old.debts(state, nanos)), nanos);
    }

    private GuardedBucket bucketOwing(Terms terms, long[] debts, long nanos) {
        return (GuardedBucket) synchronization.bucket(terms, terms.stateOwing(debts, nanos));
    }

    /** Goes on with the round through all buckets, unless another thread does. */
    private void forgetSome() {
        if (looking.compareAndSet(false, true)) {
            try {
                for (int i = 0; i < LOOKED_AT_FOR_EACH_NEW; i++) {
                    others = others.hasNext()
                            ? others
                            : buckets.asMap().entrySet().iterator();
                    if (others.hasNext()) {
                        Map.Entry<String, GuardedBucket> other = others.next();
                        forgetIfFull(other.getKey(), other.getValue());
                    }
                }
            } finally {
                looking.set(false);
            }
        }
    }

    private void forgetIfFull(String key, GuardedBucket bucket) {
        if (isFull(bucket.terms, bucket.state())) {
            buckets.asMap().computeIfPresent(key, (same, last) -> {
                long[] state = last.retire();
                return isFull(last.terms, state) ? null : successor(last.terms, last.terms, state);
            });
        }
    }

    private boolean isFull(Terms terms, long[] state) {
        return DebtLedgers.isZero(terms.debts(state, longAgo()));
    }

    /**
     * What was full so long ago is full by every reading of the clock, and under any of the limits that the policy has had:
     * until then it may hold fewer tokens than one under others.
     */
    private long longAgo() {
        return clock.nanos() - patienceNanos.get();
    }

    private void evicted(@Nullable String key, @Nullable GuardedBucket bucket, RemovalCause cause) {
        if (key != null && bucket != null && !bucket.isRetired()) { // neither keys nor values are weak
            long longAgo = longAgo();
            ledgers.add(key, bucket.terms, bucket.retire(), longAgo);
        }
    }

    int ledgers() {
        return ledgers.size();
    }

    long keys() {
        buckets.asMap().forEach(this::forgetIfFull);
        buckets.cleanUp();
        return estimatedKeys();
    }

    long estimatedKeys() {
        return buckets.estimatedSize();
    }

    LocalRateLimiter.Stats stats() {
        return new LocalRateLimiter.Stats(estimatedKeys(), ledgers.added(), ledgers.fill(clock.nanos()));
    }

    @Override
    public String toString() {
        return current.policy.name() + ": " + current.terms + ", " + estimatedKeys() + " keys";
    }
}
