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
import org.openjdk.jcstress.infra.results.LLLL_Result;

/** Two threads ask for the last token of one limit, of which a second limit has two: who is denied is not charged. */
@JCStressTest
@Outcome(id = "\\w+, (1, 0|0, 1), 20", expect = ACCEPTABLE, desc = "One of them got it, and paid once.")
@State
public class TwoLimitsRace {
    private static final Limit ONE_IN_1S = Limit.of(1, Duration.ofSeconds(1));
    private static final Limit TWO_IN_40S = Limit.of(2, Duration.ofSeconds(40));

    private final Synchronization synchronization = Guards.any();
    private final TokenBucket bucket = Guards.bucket(synchronization, 2, ONE_IN_1S, TWO_IN_40S);

    @Actor
    public void one(LLLL_Result result) {
        result.r2 = Guards.consume(bucket);
    }

    @Actor
    public void other(LLLL_Result result) {
        result.r3 = Guards.consume(bucket);
    }

    @Arbiter
    public void secondsToFull(LLLL_Result result) {
        result.r1 = synchronization;
        result.r4 = Duration.ofNanos(bucket.peek(1).resetAfterNanos()).toSeconds();
    }
}
