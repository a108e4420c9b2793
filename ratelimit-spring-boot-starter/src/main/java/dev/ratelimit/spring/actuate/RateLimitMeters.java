package dev.ratelimit.spring.actuate;

import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.redis.RedisStats;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/**
 * Meters of the limits. Immutable.
 *
 * <p>They read counts that are kept anyway, when they are asked for, so that no decision waits for them or knows of a fault
 * of theirs. Their tags are names of policies and of outcomes, none of which comes from a request: there are as many meters
 * after a million clients as before the first.
 *
 * @hidden
 */
public final class RateLimitMeters implements MeterBinder {
    private static final Log LOG = LogFactory.getLog(RateLimitMeters.class);
    private static final Map<Outcome, String> DECISIONS = new EnumMap<>(Map.of(
            Outcome.ALLOWED, "allowed",
            Outcome.DENIED, "denied",
            Outcome.SHADOW_DENIED, "shadow-denied",
            Outcome.DEGRADED, "degraded",
            Outcome.SKIPPED, "skipped"));
    private static final Map<Outcome, String> BESIDES = new EnumMap<>(Map.of(
            Outcome.NEAR_LIMIT, "ratelimit.near.limit",
            Outcome.PENALIZED, "ratelimit.penalties",
            Outcome.UNKNOWN_PLAN, "ratelimit.unknown.plans",
            Outcome.UNATTRIBUTED, "ratelimit.unattributed"));
    private static final Map<String, String> DESCRIPTIONS = Map.ofEntries(
            Map.entry("ratelimit.decisions", "What came of requests and calls, by outcome"),
            Map.entry("ratelimit.near.limit", "Allowed, with less than a fifth of the capacity left"),
            Map.entry("ratelimit.penalties", "Keys that came under the penalty"),
            Map.entry("ratelimit.unknown.plans", "Clients whose plan the policy does not have"),
            Map.entry("ratelimit.unattributed", "Requests without even an address"),
            Map.entry("ratelimit.tokens", "Tokens charged and refunded"),
            Map.entry("ratelimit.keys", "Buckets in memory"),
            Map.entry("ratelimit.evictions.debt", "Buckets that had to go before they were full"),
            Map.entry("ratelimit.ledger.fill", "The part of the ledger of their debts that is in use"),
            Map.entry("ratelimit.redis.latency", "How long decisions wait for Redis"),
            Map.entry(
                    "ratelimit.redis.breaker",
                    "1 while this instance decides without Redis, or without a master of its cluster"),
            Map.entry("ratelimit.redis.failures", "Calls to Redis that failed"));

    private final ConfiguredPolicies policies;
    private final RateLimitCounts counts;
    private final @Nullable LocalRateLimiter local;
    private final @Nullable RedisStats redis;

    /**
     * Creates meters of those policies and counts.
     *
     * @param local what keeps buckets in this process, if anything does
     * @param redis how Redis answers, if it is to be asked at all
     */
    public RateLimitMeters(
            ConfiguredPolicies policies,
            RateLimitCounts counts,
            @Nullable LocalRateLimiter local,
            @Nullable RedisStats redis) {
        this.policies = policies;
        this.counts = counts;
        this.local = local;
        this.redis = redis;
    }

    /** Adds the meters to {@code registry}; if that throws, the application goes on without them. */
    @Override
    public void bindTo(MeterRegistry registry) {
        try {
            for (ConfiguredPolicy each : policies.all()) {
                bindCounts(each.policy().name(), registry);
                if (local != null) {
                    bindStats(each.policy(), local, registry);
                }
            }
            if (redis != null) {
                bindRedis(redis, registry);
            }
        } catch (RuntimeException e) {
            LOG.warn("The limits hold, but cannot be metered", e);
        }
    }

    private void bindCounts(String policy, MeterRegistry registry) {
        DECISIONS.forEach((outcome, tag) -> counter("ratelimit.decisions", policy, each -> each.count(policy, outcome))
                .tag("outcome", tag)
                .register(registry));
        BESIDES.forEach((outcome, name) ->
                counter(name, policy, each -> each.count(policy, outcome)).register(registry));
        counter("ratelimit.tokens", policy, each -> each.charged(policy))
                .tag("kind", "charged")
                .register(registry);
        counter("ratelimit.tokens", policy, each -> each.refunded(policy))
                .tag("kind", "refunded")
                .register(registry);
    }

    private static void bindRedis(RedisStats redis, MeterRegistry registry) {
        FunctionTimer.builder(
                        "ratelimit.redis.latency",
                        redis,
                        RedisStats::waits,
                        RedisStats::waitedNanos,
                        TimeUnit.NANOSECONDS)
                .description(DESCRIPTIONS.get("ratelimit.redis.latency"))
                .register(registry);
        Gauge.builder("ratelimit.redis.breaker", redis, each -> each.isFailing() ? 1 : 0)
                .description(DESCRIPTIONS.get("ratelimit.redis.breaker"))
                .register(registry);
        for (RedisStats.Failure reason : RedisStats.Failure.values()) {
            FunctionCounter.builder("ratelimit.redis.failures", redis, each -> each.failures(reason))
                    .description(DESCRIPTIONS.get("ratelimit.redis.failures"))
                    .tag("reason", reason.name().toLowerCase(Locale.ROOT))
                    .register(registry);
        }
    }

    private FunctionCounter.Builder<RateLimitCounts> counter(
            String name, String policy, ToDoubleFunction<RateLimitCounts> count) {
        return FunctionCounter.builder(name, counts, count)
                .description(DESCRIPTIONS.get(name))
                .tag("policy", policy);
    }

    private static void bindStats(Policy policy, LocalRateLimiter limiter, MeterRegistry registry) {
        Gauge.builder("ratelimit.keys", limiter, each -> each.stats(policy).keys())
                .description(DESCRIPTIONS.get("ratelimit.keys"))
                .tag("policy", policy.name())
                .register(registry);
        FunctionCounter.builder(
                        "ratelimit.evictions.debt",
                        limiter,
                        each -> each.stats(policy).evictionsInDebt())
                .description(DESCRIPTIONS.get("ratelimit.evictions.debt"))
                .tag("policy", policy.name())
                .register(registry);
        Gauge.builder(
                        "ratelimit.ledger.fill",
                        limiter,
                        each -> each.stats(policy).ledgerFill())
                .description(DESCRIPTIONS.get("ratelimit.ledger.fill"))
                .tag("policy", policy.name())
                .register(registry);
    }
}
