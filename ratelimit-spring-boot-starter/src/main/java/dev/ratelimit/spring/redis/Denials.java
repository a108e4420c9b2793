package dev.ratelimit.spring.redis;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.ratelimit.Decision;
import dev.ratelimit.NanoClock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What keys owed in Redis when a request was last denied, so that it need not be asked again while they still owe it.
 * Thread-safe.
 *
 * <p>Redis saw the debt at some time between the call and its reply. It is reckoned with as of the call to decide, so that
 * nobody is denied who could pass; and as of the reply to say how long to wait, so that nobody comes back too early. Other
 * processes may give tokens back, of which this one knows nothing; so a denial is remembered for a second at most.
 */
final class Denials {
    private static final Duration AGE = Duration.ofSeconds(1);

    private final NanoClock clock;
    private final Cache<String, Debt> debts;

    @SuppressWarnings("ArrayRecordComponent") // as nobody compares them
    private record Debt(RedisPolicy policy, long[] ticks, long calledAt, long repliedAt) {}

    Denials(NanoClock clock, long maximumKeys) {
        this.clock = clock;
        debts = Caffeine.newBuilder()
                .maximumSize(maximumKeys)
                .expireAfterWrite(AGE)
                .ticker(clock::nanos)
                .executor(Runnable::run)
                .build();
    }

    /** Remembers nothing of a claim on more than there can be: others may be allowed after it, and the debt is another then. */
    void remember(RedisClaim claim, long[] ticks, long calledAt) {
        if (!claim.policy().decideFull(claim.tokens()).never()) {
            debts.put(claim.key(), new Debt(claim.policy(), ticks, calledAt, clock.nanos()));
        }
    }

    void forget(RedisClaim claim) {
        debts.invalidate(claim.key());
    }

    /**
     * Returns the decisions on {@code claims} if something is known of all and one of them is sure to be denied, or null.
     *
     * @param elsewhere whether there is a denial already, so that none of them needs to be one
     */
    @Nullable
    List<Decision> decide(List<RedisClaim> claims, long patienceMicros, boolean elsewhere) {
        Decision[] decisions = new Decision[claims.size()];
        boolean denied = elsewhere;
        for (int i = 0; i < decisions.length; i++) {
            RedisClaim claim = claims.get(i);
            Debt debt = debts.getIfPresent(claim.key());
            if (debt == null || !debt.policy.policy.equals(claim.policy().policy)) {
                return null;
            }
            long nanos = clock.nanos();
            long most = TimeUnit.NANOSECONDS.toMicros(nanos - debt.calledAt) + 1;
            long least = TimeUnit.NANOSECONDS.toMicros(nanos - debt.repliedAt);
            denied |= !decide(claim, debt, most, patienceMicros).allowed();
            decisions[i] = decide(claim, debt, Math.max(0, least), patienceMicros);
        }
        return denied ? List.of(decisions) : null;
    }

    private static Decision decide(RedisClaim claim, Debt debt, long micros, long patienceMicros) {
        return claim.policy().decide(claim.policy().paid(debt.ticks, micros), claim.tokens(), patienceMicros);
    }
}
