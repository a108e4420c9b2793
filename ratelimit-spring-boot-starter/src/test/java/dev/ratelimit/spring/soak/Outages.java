package dev.ratelimit.spring.soak;

import dev.ratelimit.spring.redis.RedisProcess;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * Kills Redis and starts it again, without the buckets it had; and knows what that may change in what a key is granted. A
 * policy has a bucket of the instance then, with all that its limits allow, since there is one instance.
 *
 * <p>An outage ends when the application asks Redis again. In each a key may be granted what the bucket of the instance holds
 * and what flows into it, and afterwards what the new bucket in Redis holds; and between them a token for each decision that
 * Redis was too late for.
 */
final class Outages {
    static final List<String> POLICIES = List.of("redis", "waiting");

    /** The longest wait of a call: so much ahead of time may be granted just before Redis goes, and before it is back. */
    private static final double LONGEST_WAIT_SECONDS = 0.25;

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final RedisProcess redis;
    private final SoakProcess application;
    private final Map<String, Double> decidedWithout = new HashMap<>(); // by policy, when Redis was last back
    private final Map<String, Double> late = new HashMap<>(); // by policy, decisions without Redis between outages
    private int count;
    private double seconds;
    private long begunAt;
    private boolean on;

    Outages(RedisProcess redis, SoakProcess application) {
        this.redis = redis;
        this.application = application;
        POLICIES.forEach(policy -> decidedWithout.put(policy, decidedWithout(policy)));
    }

    private double decidedWithout(String policy) {
        return application.metric("ratelimit.decisions", "policy:" + policy, "outcome:degraded");
    }

    private void noteLate() {
        POLICIES.forEach(policy ->
                late.merge(policy, decidedWithout(policy) - decidedWithout.getOrDefault(policy, 0.0), Double::sum));
    }

    void begin() {
        begunAt = System.nanoTime();
        noteLate();
        redis.kill();
        count++;
        on = true;
    }

    void end() {
        redis.restart();
        Awaitility.await().atMost(PATIENCE).until(() -> !isBreakerOpen());
        POLICIES.forEach(policy -> decidedWithout.put(policy, decidedWithout(policy)));
        seconds += (System.nanoTime() - begunAt) / (double) TimeUnit.SECONDS.toNanos(1) + 2 * LONGEST_WAIT_SECONDS;
        on = false;
    }

    /** Ends the last one, if need be, and the count of what comes in between. */
    void endAll() {
        if (on) {
            end();
        }
        noteLate();
    }

    boolean isOn() {
        return on;
    }

    boolean isBreakerOpen() {
        return application.metric("ratelimit.redis.breaker") > 0;
    }

    int count() {
        return count;
    }

    double seconds() {
        return seconds;
    }

    /** How many tokens a key may have been granted beyond what its limit allows. */
    double more(String policy) {
        return POLICIES.contains(policy)
                ? count * 2 * Account.CAPACITY + seconds * Account.PER_SECOND + late.getOrDefault(policy, 0.0)
                : 0;
    }

    /** How many tokens a key may have lost: what was in the bucket of the instance, or taken from one that is gone. */
    double less(String policy) {
        return POLICIES.contains(policy) ? count * 2 * Account.CAPACITY + late.getOrDefault(policy, 0.0) : 0;
    }
}
