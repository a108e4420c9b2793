package dev.ratelimit.spring.autoconfigure;

import static dev.ratelimit.spring.autoconfigure.RateLimitProperties.property;

import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.PolicyChange;
import dev.ratelimit.spring.PolicyChangedEvent;
import dev.ratelimit.spring.PolicyChanger;
import dev.ratelimit.spring.PolicyMode;
import dev.ratelimit.spring.RateLimitedAdvisor;
import dev.ratelimit.spring.autoconfigure.RateLimitProperties.PolicyProperties;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * Changes what policies say while requests run, as the environment or the actuator's endpoint asks for: checked as at
 * start-up, and all or nothing. Thread-safe.
 *
 * <p>What the endpoint has changed stays so until the environment says something else of that policy than it did before.
 */
final class LivePolicies implements PolicyChanger {
    private static final Log LOG = LogFactory.getLog(LivePolicies.class);

    private final ConfiguredPolicies policies;
    private final ObjectProvider<RateLimitedAdvisor> advisor;
    private final ApplicationEventPublisher events;
    private final boolean areOurs;
    private final @Nullable String keySecret;
    private final Lock lock = new ReentrantLock();
    private RateLimitProperties read; // guarded by lock: what the environment said last
    private RateLimitProperties current; // guarded by lock: what is in force

    LivePolicies(
            RateLimitProperties properties,
            ConfiguredPolicies policies,
            ObjectProvider<RateLimitedAdvisor> advisor,
            ApplicationEventPublisher events) {
        this.policies = policies;
        this.advisor = advisor;
        this.events = events;
        this.areOurs = limits(policies).equals(limits(new PolicyReader(properties).read()));
        this.keySecret = properties.keySecret();
        this.read = properties;
        this.current = properties;
    }

    private static List<Policy> limits(ConfiguredPolicies policies) {
        List<Policy> limits = new ArrayList<>();
        for (ConfiguredPolicy each : policies.all()) {
            limits.add(each.policy());
        }
        return limits;
    }

    @Override
    public void change(String policy, PolicyChange change) {
        policies.get(policy);
        apply(now -> changed(now, policy, change), null);
    }

    /** Does as the environment says by now; if that is wrong, all stays as it is, and an error is logged. */
    void follow(ConfigurableEnvironment environment) {
        try {
            RateLimitProperties next = readFrom(environment);
            apply(now -> followed(now, next), next);
        } catch (InvalidRateLimitException e) {
            LOG.error("RATELIMIT-E01 the policies stay as they are, since what the environment says now is wrong: "
                    + e.getMessage());
        }
    }

    /** A secret that is another one whenever it is read, as ${random.uuid} is, is the one of the start. */
    private RateLimitProperties readFrom(ConfigurableEnvironment environment) {
        RateLimitProperties next = PropertiesReader.read(environment);
        String again = PropertiesReader.read(environment).keySecret();
        return Objects.equals(next.keySecret(), again) ? next : next.withKeySecret(keySecret);
    }

    private void apply(UnaryOperator<RateLimitProperties> change, @Nullable RateLimitProperties justRead) {
        List<PolicyChangedEvent> changes;
        lock.lock();
        try {
            changes = replace(change.apply(current));
            read = justRead == null ? read : justRead;
        } finally {
            lock.unlock();
        }
        for (PolicyChangedEvent each : changes) {
            LOG.info(each);
            publish(each);
        }
    }

    /** The change is made by then: a listener that throws fails neither that nor those that are to hear of it next. */
    private void publish(PolicyChangedEvent event) {
        try {
            events.publishEvent(event);
        } catch (RuntimeException e) {
            LOG.warn("A listener to PolicyChangedEvent failed", e);
        }
    }

    private List<PolicyChangedEvent> replace(RateLimitProperties next) {
        FixedProperties.refuseChange(current, next);
        ConfiguredPolicies changed = new PolicyReader(next).read();
        check(next, changed);
        List<PolicyChangedEvent> changes = new ArrayList<>();
        List<ConfiguredPolicy> all = new ArrayList<>();
        for (ConfiguredPolicy each : changed.all()) {
            String name = each.policy().name();
            ConfiguredPolicy old = Objects.requireNonNull(policies.find(name));
            boolean isChanged = !Objects.equals(
                    current.policies().get(name), next.policies().get(name));
            all.add(isChanged ? each : old);
            if (isChanged) {
                changes.add(PolicyChangedEvent.of(old, each));
            }
        }
        if (!changes.isEmpty()) {
            refuseForeign();
            policies.replace(new ConfiguredPolicies(all));
        }
        current = next;
        return changes;
    }

    private void check(RateLimitProperties next, ConfiguredPolicies changed) {
        if (next.redisProperty() != null) {
            new RedisPolicies(next).check(changed);
        }
        RateLimitedAdvisor methods = advisor.getIfAvailable();
        if (methods != null) {
            methods.check(changed);
        }
    }

    private void refuseForeign() {
        if (!areOurs) {
            throw new InvalidRateLimitException(
                    "ratelimit.policies", "can't be changed, as a ConfiguredPolicies bean is in place of them");
        }
    }

    private static RateLimitProperties changed(RateLimitProperties now, String name, PolicyChange change) {
        PolicyProperties policy = Objects.requireNonNull(now.policies().get(name));
        Map<String, String> texts = new HashMap<>();
        put("limits", change.limits(), texts);
        put("mode", change.mode(), texts);
        if (change.plans() != null) {
            change.plans().forEach((plan, limits) -> put("plans[" + plan + ']', limits, texts));
        }
        ChangedProperties changed = PropertiesReader.read(
                new MapConfigurationPropertySource(texts), ChangedProperties.class, "ratelimit.policies." + name);
        Map<String, PolicyProperties> all = new LinkedHashMap<>(now.policies());
        all.put(
                name,
                policy.with(
                        changed.limits == null ? policy.limits() : changed.limits,
                        change.plans() == null ? policy.plans() : Map.copyOf(changed.plansOrNone()),
                        changed.mode == null ? policy.mode() : changed.mode));
        return now.with(all);
    }

    private static void put(String property, @Nullable String text, Map<String, String> texts) {
        if (text != null) {
            texts.put(PropertiesReader.POLICY + '.' + property, text);
        }
    }

    /** What the endpoint may change of a policy. */
    record ChangedProperties(
            @Nullable List<LimitProperties> limits,
            @Nullable Map<String, List<LimitProperties>> plans,
            @Nullable PolicyMode mode) {

        Map<String, List<LimitProperties>> plansOrNone() {
            return plans == null ? Map.of() : plans;
        }
    }

    /**
     * Returns {@code next}, with what is in force of each policy of which the environment says what it did before. They stay
     * in the order of the start, which is not that of a source that has come to say something of one of them.
     */
    private RateLimitProperties followed(RateLimitProperties now, RateLimitProperties next) {
        Map<String, PolicyProperties> all = new LinkedHashMap<>(now.policies());
        all.keySet().retainAll(next.policies().keySet());
        next.policies().forEach((name, policy) -> {
            if (!policy.equals(read.policies().get(name))) {
                all.put(name, policy);
            }
        });
        return next.with(all);
    }
}
