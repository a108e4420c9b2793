package dev.ratelimit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.RemovalCause;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The buckets of one policy, by key. Thread-safe.
 *
 * <p>A bucket that Caffeine evicts, for want of room or because it was idle long enough to be full, is retired in the same
 * atomic step in which it is removed, and what it owed goes to a ledger. A thread that still holds it is denied by it, sees
 * that it is retired, and asks again; the bucket it then gets begins with the debt. So no interleaving of eviction and
 * consumption forgets a token.
 *
 * <p>A key may be asked for under other limits than before, since they were changed or since not all clients have the same:
 * then its bucket is replaced by one under those limits, with the tokens it had.
 */
final class PolicyBuckets {
    private static final int MAX_KNOWN_TERMS = 64;

    /** The limits that were asked for first or changed to last; a shortcut to what {@link #known} says of them. */
    private record Current(Policy policy, Terms terms) {}

    private final Synchronization synchronization;
    private final NanoClock clock;
    private final long maximumKeys;
    private final Cache<String, GuardedBucket> buckets;
    private final Map<Policy, Terms> known = new ConcurrentHashMap<>();
    private final Map<Terms, DebtLedger> ledgers = new ConcurrentHashMap<>(); // a ledger where there were debts
    private final ReentrantLock evictions = new ReentrantLock(); // or a debt could go to a ledger that is being removed
    private volatile Current current;

    PolicyBuckets(Policy policy, Synchronization synchronization, NanoClock clock, long maximumKeys) {
        this.synchronization = synchronization;
        this.clock = clock;
        this.maximumKeys = maximumKeys;
        current = new Current(policy, new Terms(policy.limits(), clock));
        known.put(policy, current.terms);
        buckets = Caffeine.newBuilder()
                .maximumSize(maximumKeys)
                .expireAfterAccess(Duration.ofNanos(current.terms.nanosToFull()))
                .evictionListener(this::retire)
                .ticker(clock::nanos)
                .executor(Runnable::run) // no threads of our own, and none of the common pool
                .build();
    }

    Decision tryConsume(Policy policy, String key, long tokens) {
        Gcra.requirePositive("tokens", tokens);
        Terms terms = terms(policy);
        String kept = KeyDigest.of(key);
        while (true) {
            GuardedBucket bucket = bucket(terms, kept);
            Decision decision = bucket.tryConsume(tokens);
            if (decision.allowed() || !bucket.isRetired()) {
                return decision;
            }
        }
    }

    /** Decides without keeping a bucket for a key that has none, or other limits for one that has. */
    Decision peek(Policy policy, String key, long tokens) {
        Gcra.requirePositive("tokens", tokens);
        Terms terms = terms(policy);
        String kept = KeyDigest.of(key);
        while (true) {
            GuardedBucket bucket = buckets.getIfPresent(kept);
            GuardedBucket looked = bucket == null
                    ? newBucket(terms, kept)
                    : bucket.terms == terms ? bucket : successor(terms, bucket.terms, bucket.state());
            Decision decision = looked.peek(tokens);
            if (bucket == null || !bucket.isRetired()) {
                return decision;
            }
        }
    }

    /** Gives back to a key that may owe something; one that is not tracked and has no debt is full. */
    void refund(Policy policy, String key, long tokens) {
        Gcra.requirePositive("tokens", tokens);
        Terms terms = terms(policy);
        String kept = KeyDigest.of(key);
        boolean done = buckets.getIfPresent(kept) == null && isZero(debtsInLedgers(terms, kept));
        while (!done) {
            done = bucket(terms, kept).giveBack(tokens);
        }
    }

    @SuppressWarnings("ReferenceEquality") // the quick answer; the map's equals has the last word
    private Terms terms(Policy policy) {
        Current shortcut = current;
        if (shortcut.policy == policy) {
            return shortcut.terms;
        }
        Terms terms = known.get(policy);
        return terms == null ? newTerms(policy) : terms;
    }

    /** Terms may be forgotten at any time: the same limits then come with new ones, and tokens are carried over. */
    private Terms newTerms(Policy policy) {
        if (known.size() >= MAX_KNOWN_TERMS) {
            known.clear();
        }
        Terms terms = known.computeIfAbsent(policy, unused -> new Terms(policy.limits(), clock));
        current = new Current(policy, terms);
        buckets.policy().expireAfterAccess().ifPresent(expiry -> {
            Duration toFull = Duration.ofNanos(terms.nanosToFull());
            if (expiry.getExpiresAfter().compareTo(toFull) < 0) {
                expiry.setExpiresAfter(toFull);
            }
        });
        return terms;
    }

    private GuardedBucket bucket(Terms terms, String key) {
        GuardedBucket bucket = buckets.getIfPresent(key);
        if (bucket == null) {
            bucket = buckets.get(key, absent -> newBucket(terms, absent));
        }
        return bucket.terms == terms ? bucket : carriedOver(terms, key);
    }

    private GuardedBucket newBucket(Terms terms, String key) {
        return (GuardedBucket) synchronization.bucket(
                terms, terms.stateOwing(ledgers.isEmpty() ? new long[terms.size()] : debtsInLedgers(terms, key)));
    }

    private GuardedBucket carriedOver(Terms terms, String key) {
        return Objects.requireNonNull(buckets.asMap().compute(key, (same, old) -> {
            if (old == null) {
                return newBucket(terms, key);
            }
            return old.terms == terms ? old : successor(terms, old.terms, old.retire());
        }));
    }

    private GuardedBucket successor(Terms terms, Terms old, long[] state) {
        return (GuardedBucket) synchronization.bucket(terms, terms.stateOwing(terms.carried(old, old.debts(state))));
    }

    /** Returns what {@code key} may owe under {@code terms}: the most of what any ledger says. */
    private long[] debtsInLedgers(Terms terms, String key) {
        long[] most = new long[terms.size()];
        ledgers.forEach((ofLedger, ledger) -> {
            long[] debts = ofLedger.ticks(ledger.nanos(key));
            if (!isZero(debts)) {
                long[] here = terms.carried(ofLedger, debts);
                Arrays.setAll(most, i -> Math.max(most[i], here[i]));
            }
        });
        return most;
    }

    private void retire(@Nullable String key, @Nullable GuardedBucket bucket, RemovalCause cause) {
        if (key == null || bucket == null) {
            return; // neither keys nor values are weak
        }
        long[] debts = bucket.terms.debts(bucket.retire());
        if (!isZero(debts)) {
            evictions.lock();
            try {
                ledger(bucket.terms).add(key, bucket.terms.nanos(debts));
            } finally {
                evictions.unlock();
            }
        }
    }

    private DebtLedger ledger(Terms terms) {
        DebtLedger ledger = ledgers.get(terms);
        if (ledger != null) {
            return ledger;
        }
        ledgers.values().removeIf(DebtLedger::isPaid);
        return ledgers.computeIfAbsent(terms, unused -> new DebtLedger(terms.size(), maximumKeys, clock));
    }

    private static boolean isZero(long[] debts) {
        return LongStream.of(debts).allMatch(debt -> debt == 0);
    }

    /** Returns how many keys have a bucket, after those that are to go have gone. */
    long keys() {
        buckets.cleanUp();
        return buckets.estimatedSize();
    }

    @Override
    public String toString() {
        return current.policy.name() + ": " + current.terms + ", " + buckets.estimatedSize() + " keys";
    }
}
