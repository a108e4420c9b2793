package dev.ratelimit.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import dev.ratelimit.Limit;
import dev.ratelimit.Synchronization;
import dev.ratelimit.TokenBucket;
import java.time.Duration;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LII_Result;

/** Two threads ask for the last token of a bucket that is large enough for cells: exactly one gets it. */
@JCStressTest
@Outcome(id = "\\w+, (1, 0|0, 1)", expect = ACCEPTABLE, desc = "One of them got it.")
@State
public class LastTokenRace {
    private static final Limit LIMIT = Limit.of(100_000, Duration.ofDays(1));

    private final Synchronization synchronization = Guards.any();
    private final TokenBucket bucket = Guards.bucket(synchronization, 1, LIMIT);

    @Actor
    public void one(LII_Result result) {
        result.r2 = Guards.consume(bucket);
    }

    @Actor
    public void other(LII_Result result) {
        result.r3 = Guards.consume(bucket);
    }

    @Arbiter
    public void guard(LII_Result result) {
        result.r1 = synchronization;
    }
}
