package dev.ratelimit;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The bucket behind {@link TokenBucket#allOf}: looks at all parts, then reserves from one after the other, and gives back if
 * one of them refuses after all.
 *
 * <p>Where all parts have locks it holds them meanwhile, and none refuses. The parts take their locks once more, which a
 * {@link ReentrantLock} allows.
 */
final class JointBucket extends TokenBucket {
    private static final long MAX_LOCK_WAIT_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final List<Part> parts;
    private final List<LockBucket> locked; // all parts, in the order of their numbers; empty if one has no lock

    /** A bucket that pays {@code times} the tokens. */
    private record Part(TokenBucket bucket, long times) {

        long tokens(long tokens) {
            return tokens > Long.MAX_VALUE / times ? Long.MAX_VALUE : tokens * times;
        }
    }

    JointBucket(List<TokenBucket> buckets) {
        Map<TokenBucket, Long> times = new LinkedHashMap<>();
        for (TokenBucket bucket : buckets) {
            List<Part> members = bucket instanceof JointBucket joint ? joint.parts : List.of(new Part(bucket, 1));
            members.forEach(member -> times.merge(member.bucket, member.times, Long::sum));
        }
        if (times.isEmpty()) {
            throw new IllegalArgumentException("allOf needs at least one bucket");
        }
        parts = times.entrySet().stream()
                .map(entry -> new Part(entry.getKey(), entry.getValue()))
                .toList();
        locked = times.keySet().stream().allMatch(LockBucket.class::isInstance)
                ? times.keySet().stream()
                        .map(LockBucket.class::cast)
                        .sorted(Comparator.comparingLong(bucket -> bucket.number))
                        .toList()
                : List.of();
    }

    @Override
    Decision reserve(long tokens, long maxWaitNanos, Charges charges) {
        lock();
        try {
            Decision expected = decideParts(tokens, maxWaitNanos);
            if (!expected.allowed()) {
                return expected;
            }
            Charges taken = new Charges();
            List<Decision> decisions = new ArrayList<>(parts.size());
            for (Part part : parts) {
                Decision decision = part.bucket.reserve(part.tokens(tokens), maxWaitNanos, taken);
                if (!decision.allowed()) {
                    taken.undo();
                    return decideParts(tokens, -1);
                }
                decisions.add(decision);
            }
            if (charges.areKept()) {
                charges.addAll(taken);
            }
            return joint(decisions, true);
        } finally {
            unlock(locked.size());
        }
    }

    @Override
    Decision decide(long tokens, long maxWaitNanos) {
        lock();
        try {
            return decideParts(tokens, maxWaitNanos);
        } finally {
            unlock(locked.size());
        }
    }

    @Override
    void refundNow(long tokens) {
        withLocksIfPossible(() -> parts.forEach(part -> part.bucket.refundNow(part.tokens(tokens))));
    }

    @Override
    void undo(Charges charges) {
        withLocksIfPossible(charges::undo);
    }

    @Override
    NanoClock clock() {
        return parts.get(0).bucket.clock();
    }

    /**
     * A refund must not fail for want of a lock: it then waits for each part by itself, and is complete, only not at one instant.
     * It holds none meanwhile, or a thread that is stuck in one part would hold up all who use the others.
     */
    private void withLocksIfPossible(Runnable refund) {
        int held = tryLock();
        if (held < locked.size()) {
            unlock(held);
            held = 0;
        }
        try {
            refund.run();
        } finally {
            unlock(held);
        }
    }

    /** Decides for a caller who waits up to {@code maxWaitNanos}; nobody waits less than zero, so that denies. */
    private Decision decideParts(long tokens, long maxWaitNanos) {
        List<Decision> decisions = new ArrayList<>(parts.size());
        boolean allowed = maxWaitNanos >= 0;
        for (Part part : parts) {
            Decision decision = part.bucket.decide(part.tokens(tokens), maxWaitNanos);
            allowed &= decision.allowed();
            decisions.add(decision);
        }
        if (!allowed) {
            for (int i = 0; i < decisions.size(); i++) {
                decisions.set(i, uncharged(parts.get(i), decisions.get(i)));
            }
        }
        return joint(decisions, allowed);
    }

    /** Returns the decision with what the part holds now: a request for more than any capacity charges nothing. */
    private static Decision uncharged(Part part, Decision decision) {
        Decision now = part.bucket.decide(Long.MAX_VALUE, 0);
        return new Decision(
                false, now.remaining(), decision.retryAfterNanos(), now.resetAfterNanos(), decision.limit());
    }

    private Decision joint(List<Decision> decisions, boolean allowed) {
        Decision decider = decisions.get(0);
        long remaining = Long.MAX_VALUE;
        long waitNanos = 0;
        long resetAfterNanos = 0;
        for (int i = 0; i < decisions.size(); i++) {
            Decision decision = decisions.get(i);
            long left = decision.remaining() / parts.get(i).times;
            if (allowed ? left < remaining : decision.retryAfterNanos() > waitNanos) {
                decider = decision;
            }
            remaining = Math.min(remaining, left);
            waitNanos = Math.max(waitNanos, decision.retryAfterNanos());
            resetAfterNanos = Math.max(resetAfterNanos, decision.resetAfterNanos());
        }
        return new Decision(allowed, remaining, waitNanos, resetAfterNanos, decider.limit());
    }

    private void lock() {
        int held = tryLock();
        if (held < locked.size()) {
            unlock(held);
            LockBucket missing = locked.get(held);
            throw new IllegalStateException("no lock within a second on bucket " + missing.number + " (" + missing.terms
                    + "), the " + (held + 1) + ". of " + locked.size() + " to be locked together; nothing was charged");
        }
    }

    /** Returns how many of the locks are held then, in their order. */
    private int tryLock() {
        int held = 0;
        while (held < locked.size() && tryLock(locked.get(held).lock)) {
            held++;
        }
        return held;
    }

    private void unlock(int end) {
        for (int i = end - 1; i >= 0; i--) {
            locked.get(i).lock.unlock();
        }
    }

    /** An interrupt does not end the wait, which is short, but is still seen afterwards. */
    private static boolean tryLock(ReentrantLock lock) {
        if (lock.tryLock()) {
            return true;
        }
        long deadline = System.nanoTime() + MAX_LOCK_WAIT_NANOS;
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return lock.tryLock(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public String toString() {
        return "TokenBucket.allOf" + parts.stream().map(Part::bucket).toList();
    }
}
