package dev.ratelimit.stress;

import dev.ratelimit.Limit;
import dev.ratelimit.Synchronization;
import dev.ratelimit.TokenBucket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/** Chooses how the bucket of a race is guarded: each way in turn would need a class each, so by chance. */
final class Guards {
    // A bucket for each thread has no race.
    private static final Synchronization[] SHARED = Stream.of(Synchronization.values())
            .filter(each -> !each.name().equals("THREAD_LOCAL"))
            .toArray(Synchronization[]::new);

    private Guards() {}

    static Synchronization any() {
        return SHARED[ThreadLocalRandom.current().nextInt(SHARED.length)];
    }

    /** Returns a bucket whose clock stands still. */
    static TokenBucket bucket(Synchronization synchronization, long initialTokens, Limit... limits) {
        return TokenBucket.builder()
                .limits(limits)
                .synchronization(synchronization)
                .clock(() -> 0)
                .initialTokens(initialTokens)
                .build();
    }

    /** Returns how many tokens were admitted: 1 or 0. */
    static int consume(TokenBucket bucket) {
        return bucket.tryConsume(1).allowed() ? 1 : 0;
    }
}
