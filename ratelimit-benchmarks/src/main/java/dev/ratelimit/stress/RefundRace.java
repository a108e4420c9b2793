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

/** One thread consumes while another gives a token back, to a bucket that is large enough for cells: neither is lost. */
@JCStressTest
@Outcome(id = "\\w+, 1, 1", expect = ACCEPTABLE, desc = "One consumed, one left.")
@State
public class RefundRace {
    private static final Limit LIMIT = Limit.of(100_000, Duration.ofDays(1));

    private final Synchronization synchronization = Guards.any();
    private final TokenBucket bucket = Guards.bucket(synchronization, 1, LIMIT);

    @Actor
    public void consume(LII_Result result) {
        result.r2 = Guards.consume(bucket);
    }

    @Actor
    public void refund() {
        bucket.refund(1);
    }

    @Arbiter
    public void left(LII_Result result) {
        result.r1 = synchronization;
        result.r3 = Guards.consume(bucket) + Guards.consume(bucket);
    }
}
