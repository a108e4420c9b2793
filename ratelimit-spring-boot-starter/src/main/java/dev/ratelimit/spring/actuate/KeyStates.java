package dev.ratelimit.spring.actuate;

import dev.ratelimit.KeyDigest;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.web.RequestKeys;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What one key has under a policy, and how it gets all of it back. Thread-safe. */
record KeyStates(Map<String, PolicySettings> settings, PolicyLimiter limiter, RequestKeys keys) {

    /**
     * Returns what a key has, with a bucket that belongs to it.
     *
     * @param key what a client is known by, or several values if the policy's key has several parts
     * @param by what kind of key that is, if not the policy's own
     * @throws IllegalArgumentException if there can be no such key, or no such plan
     */
    Map<String, Object> of(String policy, Object key, @Nullable String by, @Nullable String plan) {
        return of(limits(policy, plan), bucketKey(policy, key, by));
    }

    private Map<String, Object> of(Policy limits, String bucket) {
        PolicyDecision decided = limiter.peek(limits, bucket, 1);
        return new Answers()
                .with("hash", hashOf(bucket, keys))
                .with("penalized", decided.penalized() ? true : null)
                .with(decided.decision(), 1, limiter.resetAfterNanos(limits, bucket))
                .map();
    }

    /**
     * Fills the bucket of a key, and returns what it has then.
     *
     * @throws IllegalArgumentException if it is not said which bucket, or there can be none
     */
    Map<String, Object> reset(String policy, @Nullable Object key, @Nullable String by, @Nullable String plan) {
        if (key == null && !partsOf(policy).equals(List.of("global"))) {
            throw new IllegalArgumentException("key is missing");
        }
        ConfiguredPolicy configured = configured(policy);
        if (plan == null && !configured.plans().isEmpty()) {
            throw new IllegalArgumentException("plan is missing; there are: " + plansOf(configured));
        }
        String bucket = bucketKey(policy, key == null ? "" : key, by);
        Policy limits = limits(policy, plan);
        limiter.reset(limits, bucket);
        return of(limits, bucket);
    }

    /** Returns what stands for a key; those that are denied most are kept as their digests, and this is the same for them. */
    static String hashOf(String bucket, RequestKeys keys) {
        return keys.hashOf(KeyDigest.of(bucket));
    }

    private String bucketKey(String policy, Object value, @Nullable String by) {
        List<String> parts = by == null ? partsOf(policy) : List.of(by);
        List<String> values = Answers.texts(value);
        return keys.keyOf(parts, parts.size() == 1 ? List.of(String.join(",", values)) : values);
    }

    private List<String> partsOf(String policy) {
        return Objects.requireNonNull(settings.get(policy)).key();
    }

    private ConfiguredPolicy configured(String policy) {
        return Objects.requireNonNull(limiter.policies().find(policy));
    }

    private Policy limits(String policy, @Nullable String plan) {
        ConfiguredPolicy configured = configured(policy);
        Policy limits = plan == null ? configured.policy() : configured.plan(plan);
        if (limits == null) {
            throw new IllegalArgumentException("no plan is named \"" + plan + "\"; there are: "
                    + (configured.plans().isEmpty() ? "none" : plansOf(configured)));
        }
        return limits;
    }

    private static String plansOf(ConfiguredPolicy policy) {
        return String.join(", ", new TreeMap<>(policy.plans()).keySet());
    }
}
