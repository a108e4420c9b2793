package dev.ratelimit.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Synchronization;
import dev.ratelimit.TokenBucket;
import java.time.Duration;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.LJJ_Result;

/**
 * One thread consumes under two limits while another looks: it sees both charged or neither.
 *
 * <p>The fewest tokens are those of the first limit and the longest time to full is that of the second, so what is seen
 * tells one from the other.
 */
@JCStressTest
@Outcome(id = "\\w+, 1, 3", expect = ACCEPTABLE, desc = "Neither limit is charged.")
@Outcome(id = "\\w+, 0, 6", expect = ACCEPTABLE, desc = "Both limits are charged.")
@State
public class TwoLimitsView {
    private static final Limit TWO_IN_2S = Limit.of(2, Duration.ofSeconds(2));
    private static final Limit TEN_IN_30S = Limit.of(10, Duration.ofSeconds(30));

    private final Synchronization synchronization = Guards.any();
    private final TokenBucket bucket = Guards.bucket(synchronization, 10, TWO_IN_2S, TEN_IN_30S);

    @Actor
    public void consume() {
        bucket.tryConsume(1);
    }

    @Actor
    public void peek(LJJ_Result result) {
        Decision seen = bucket.peek(1);
        result.r2 = seen.remaining();
        result.r3 = Duration.ofNanos(seen.resetAfterNanos()).toSeconds();
    }

    @Arbiter
    public void guard(LJJ_Result result) {
        result.r1 = synchronization;
    }
}
