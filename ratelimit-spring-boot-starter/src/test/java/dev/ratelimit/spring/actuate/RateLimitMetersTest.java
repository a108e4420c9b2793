package dev.ratelimit.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.PolicyMode;
import dev.ratelimit.spring.RateLimitCounts;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RateLimitMetersTest {
    private static final int ROOM = 1_000;

    private final Policy api = Policy.of("api", Limit.parse("10/1m"));
    private final Policy candidate = Policy.of("candidate", Limit.parse("2/1m"));
    private final MeterRegistry registry = new SimpleMeterRegistry();
    private final Application application = new Application(0);

    /** What there is to be metered. */
    private final class Application {
        private final ManualClock clock;
        private final ConfiguredPolicies policies = new ConfiguredPolicies(List.of(
                new ConfiguredPolicy(api, 1), new ConfiguredPolicy(candidate, 1, PolicyMode.SHADOW, Map.of(), null)));
        private final RateLimitCounts counts = new RateLimitCounts(policies);
        private final LocalRateLimiter local;
        private final PolicyLimiter limiter;

        Application(long start) {
            clock = new ManualClock(start);
            local = LocalRateLimiter.builder().maximumKeys(ROOM).clock(clock).build();
            limiter = new PolicyLimiter(local, policies, counts);
        }

        RateLimitMeters meters() {
            return new RateLimitMeters(policies, counts, local, null);
        }
    }

    private double counter(String name, String... tags) {
        return registry.get(name).tags(tags).functionCounter().count();
    }

    private double gauge(String name, String policy) {
        return registry.get(name).tags("policy", policy).gauge().value();
    }

    @Test
    void showsWhatIsCounted() {
        application.meters().bindTo(registry);
        application.limiter.decide(api, "k", 9);
        application.limiter.decide(api, "k", 9);
        application.limiter.correct(api, "k", -4);
        application.limiter.shadow(() -> new Claim(candidate, "k", 3));
        for (Outcome outcome :
                List.of(Outcome.SKIPPED, Outcome.PENALIZED, Outcome.UNKNOWN_PLAN, Outcome.UNATTRIBUTED)) {
            application.counts.add("api", outcome);
        }

        assertThat(counter("ratelimit.decisions", "policy", "api", "outcome", "allowed"))
                .isEqualTo(1);
        assertThat(counter("ratelimit.decisions", "policy", "api", "outcome", "denied"))
                .isEqualTo(1);
        assertThat(counter("ratelimit.decisions", "policy", "api", "outcome", "skipped"))
                .isEqualTo(1);
        assertThat(counter("ratelimit.decisions", "policy", "candidate", "outcome", "denied"))
                .isZero();
        assertThat(counter("ratelimit.decisions", "policy", "candidate", "outcome", "shadow-denied"))
                .isEqualTo(1);
        assertThat(counter("ratelimit.tokens", "policy", "api", "kind", "charged"))
                .isEqualTo(9);
        assertThat(counter("ratelimit.tokens", "policy", "api", "kind", "refunded"))
                .isEqualTo(4);
        assertThat(counter("ratelimit.near.limit", "policy", "api")).isEqualTo(1);
        assertThat(counter("ratelimit.penalties", "policy", "api")).isEqualTo(1);
        assertThat(counter("ratelimit.unknown.plans", "policy", "api")).isEqualTo(1);
        assertThat(counter("ratelimit.unattributed", "policy", "api")).isEqualTo(1);
    }

    @Test
    void showsWhatIsKeptForKeys() {
        application.meters().bindTo(registry);
        for (int key = 0; key < ROOM + 100; key++) {
            application.limiter.decide(api, "k" + key, 1);
        }

        assertThat(gauge("ratelimit.keys", "api")).isEqualTo(ROOM);
        assertThat(gauge("ratelimit.keys", "candidate")).isZero();
        assertThat(counter("ratelimit.evictions.debt", "policy", "api")).isEqualTo(100);
        assertThat(gauge("ratelimit.ledger.fill", "api")).isGreaterThan(0);
    }

    @Test
    void describesAllMeters() {
        application.meters().bindTo(registry);

        assertThat(ids())
                .isNotEmpty()
                .allSatisfy(
                        id -> assertThat(id.getDescription()).as(id.getName()).isNotBlank());
    }

    @Test
    void hasNoMetersOfKeysWhereNoneAreKept() {
        new RateLimitMeters(application.policies, application.counts, null, null).bindTo(registry);

        assertThat(registry.find("ratelimit.keys").gauge()).isNull();
        assertThat(registry.find("ratelimit.decisions").functionCounters()).isNotEmpty();
    }

    @Test
    void hasNoMoreMetersAfter100_000Keys() {
        application.meters().bindTo(registry);
        Set<Meter.Id> before = ids();
        for (int key = 0; key < 100_000; key++) {
            application.limiter.decide(api, "203.0.113." + key, 1);
            application.limiter.decide(Policy.of("unknown" + key % 100, Limit.parse("10/1m")), "k", 1);
        }

        assertThat(ids()).isEqualTo(before);
        assertThat(before)
                .flatExtracting(Meter.Id::getTags)
                .extracting(tag -> tag.getKey() + "=" + tag.getValue())
                .containsOnly(
                        "policy=api",
                        "policy=candidate",
                        "outcome=allowed",
                        "outcome=denied",
                        "outcome=shadow-denied",
                        "outcome=skipped",
                        "outcome=degraded",
                        "kind=charged",
                        "kind=refunded");
    }

    private Set<Meter.Id> ids() {
        return registry.getMeters().stream().map(Meter::getId).collect(Collectors.toSet());
    }

    /** Has no meter for anybody. */
    private static final class BrokenRegistry extends SimpleMeterRegistry {
        private int refused;

        BrokenRegistry() {
            super(SimpleConfig.DEFAULT, Clock.SYSTEM);
        }

        @Override
        protected <T> FunctionCounter newFunctionCounter(Meter.Id id, T of, ToDoubleFunction<T> count) {
            refused++;
            throw new IllegalStateException("out of order");
        }

        @Override
        protected <T> Gauge newGauge(Meter.Id id, @Nullable T of, ToDoubleFunction<T> value) {
            refused++;
            throw new IllegalStateException("out of order");
        }
    }

    @Test
    void decidesTheSameWithARegistryThatThrows() {
        long start = ThreadLocalRandom.current().nextLong();
        long seed = ThreadLocalRandom.current().nextLong();
        BrokenRegistry broken = new BrokenRegistry();
        Application metered = new Application(start);
        metered.meters().bindTo(broken);

        assertThat(broken.refused).isPositive();
        assertThat(decisions(metered, seed)).isEqualTo(decisions(new Application(start), seed));
    }

    private List<Decision> decisions(Application of, long seed) {
        Random random = new Random(seed);
        List<Decision> decisions = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            Policy policy = random.nextBoolean() ? api : candidate;
            decisions.add(of.limiter
                    .decide(policy, "k" + random.nextInt(50), 1 + random.nextInt(3))
                    .decision());
            of.clock.advance(Duration.ofMillis(random.nextInt(100)));
        }
        return decisions;
    }
}
