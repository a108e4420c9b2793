package dev.ratelimit.benchmarks;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.actuate.RateLimitMeters;
import io.micrometer.core.instrument.Measurement;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** A decision that is allowed: by the limiter alone, counted as every door has it, and with meters that are read. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init")
public class MetersBenchmark extends NanosPerDecision {
    private final Policy policy = Policy.of("api", Limit.parse("300000000/1s burst 1000000000000"));
    private final LocalRateLimiter limiter = LocalRateLimiter.builder().build();
    private PolicyLimiter counted;
    private PolicyLimiter metered;

    /** Reads meters as a scrape does, once an iteration, beside the threads that decide. */
    @State(Scope.Benchmark)
    public static class Meters {
        private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
        private double read;

        @Setup(Level.Iteration)
        public void read() {
            for (Meter meter : registry.getMeters()) {
                for (Measurement each : meter.measure()) {
                    read += each.getValue();
                }
            }
        }
    }

    @Setup
    public void setUp(Meters meters) {
        ConfiguredPolicies policies = new ConfiguredPolicies(List.of(new ConfiguredPolicy(policy, 1)));
        counted = new PolicyLimiter(limiter, policies, new RateLimitCounts(policies));
        RateLimitCounts counts = new RateLimitCounts(policies);
        metered = new PolicyLimiter(limiter, policies, counts);
        new RateLimitMeters(policies, counts, limiter, null).bindTo(meters.registry);
    }

    @Benchmark
    public Decision bare() {
        return limiter.tryConsume(policy, "203.0.113.7", 1);
    }

    @Benchmark
    public PolicyDecision counted() {
        return counted.decide(policy, "203.0.113.7", 1);
    }

    @Benchmark
    public PolicyDecision metered() {
        return metered.decide(policy, "203.0.113.7", 1);
    }
}
