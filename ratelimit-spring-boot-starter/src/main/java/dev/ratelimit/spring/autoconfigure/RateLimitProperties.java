package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.Synchronization;
import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.OnFailure;
import dev.ratelimit.spring.PolicyMode;
import dev.ratelimit.spring.web.Cidr;
import dev.ratelimit.spring.web.ClientAddress;
import dev.ratelimit.spring.web.ForwardedHeader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.NestedConfigurationProperty;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What application.yml says under {@code ratelimit}. A property that is not here stops the start, since a typo must not
 * switch a limit off.
 *
 * @param enabled Whether the filter and the annotation limit anything
 * @param headers Header fields that tell a client of its limits: those of the IETF's draft, those named X-RateLimit, or none
 * @param filter Where the filter stands
 * @param policies The policies by name
 * @param backend Where the buckets are, unless a policy says otherwise: in each process, or in a Redis that all share
 * @param local The limiter that keeps its buckets in this process
 * @param redis The limiter that keeps its buckets in Redis
 * @param clientAddress Which address a request comes from
 * @param actuator The actuator's endpoint
 * @param keySecret The secret under which headers and cookies are hashed before they are keys; random for each process
 *     unless set, and so needed where instances are to agree on them
 */
@ConfigurationProperties(prefix = "ratelimit", ignoreUnknownFields = false)
record RateLimitProperties(
        @DefaultValue("true") boolean enabled,
        @DefaultValue("ietf") Headers headers,
        @DefaultValue FilterProperties filter,
        @DefaultValue Map<String, PolicyProperties> policies,
        @DefaultValue("local") Backend backend,
        @DefaultValue LocalProperties local,
        @NestedConfigurationProperty @DefaultValue RedisProperties redis,
        @DefaultValue ClientAddressProperties clientAddress,
        @DefaultValue ActuatorProperties actuator,
        @Nullable String keySecret) {
    private static final int MIN_SECRET_LENGTH = 16;

    RateLimitProperties {
        if (keySecret != null && keySecret.strip().length() < MIN_SECRET_LENGTH) {
            throw new InvalidRateLimitException(
                    "ratelimit.key-secret",
                    "has " + keySecret.strip().length() + " characters, but must have at least " + MIN_SECRET_LENGTH);
        }
    }

    RateLimitProperties with(Map<String, PolicyProperties> changed) {
        return new RateLimitProperties(
                enabled, headers, filter, changed, backend, local, redis, clientAddress, actuator, keySecret);
    }

    RateLimitProperties withKeySecret(@Nullable String other) {
        return new RateLimitProperties(
                enabled, headers, filter, policies, backend, local, redis, clientAddress, actuator, other);
    }

    /** Where buckets can be. */
    enum Backend {
        LOCAL,
        REDIS
    }

    /** The dialects of the header fields. */
    enum Headers {
        IETF,
        X_RATELIMIT,
        NONE
    }

    /**
     * One policy.
     *
     * @param limits Limits that hold together, as text such as 100/1m or 100/1m burst 200, or in parts: capacity,
     *     refill-tokens and refill-period
     * @param plans Limits by the client's plan, in place of limits; a PlanResolver bean says which plan that is
     * @param key Whose bucket a request is charged to: ip, principal, global, header:NAME, cookie:NAME or the name of a
     *     KeyResolver bean, or several of them together; without one, the only KeyResolver bean or else ip
     * @param paths Path patterns of the requests that the filter charges, such as /api/**; none leaves the policy to
     *     annotations and code
     * @param exclude Path patterns of requests among those that the filter does not charge; without any, those of the
     *     actuator, unless paths name them
     * @param methods HTTP methods of the requests that the filter charges, GET covering HEAD; none means all
     * @param tokens How many tokens a request or a call costs: a number, or the name of a TokenCost bean for requests
     * @param chargeOn Statuses of the response that a request stays charged for, such as 4xx or 401; it gets back what it
     *     took if it ends in another; none means all
     * @param mode Whether the policy denies, only counts what it would deny, or is not looked at
     * @param skip Who is never charged: client addresses, such as 10.0.0.0/8, and names of RequestSkip beans
     * @param penalty Stricter limits, for a while, for who was denied too often
     * @param backend Where the policy's buckets are: in each process, or in a Redis that all share
     * @param onFailure What decides while Redis cannot be asked: a local bucket with this instance's share of the limits, or
     *     nothing, so that all is denied or allowed
     */
    record PolicyProperties(
            @DefaultValue List<LimitProperties> limits,
            @DefaultValue Map<String, List<LimitProperties>> plans,
            @Nullable List<String> key,
            @Nullable List<String> paths,
            @Nullable List<String> exclude,
            @DefaultValue List<String> methods,
            @DefaultValue("1") String tokens,
            @DefaultValue List<String> chargeOn,
            @DefaultValue("enforce") PolicyMode mode,
            @DefaultValue List<String> skip,
            @Nullable PenaltyProperties penalty,
            @Nullable Backend backend,
            @Nullable OnFailure onFailure) {

        /** Whether the key is made of something that is a client's secret, and so is hashed. */
        boolean isKeyedBySecret() {
            return key != null
                    && key.stream().anyMatch(each -> each.startsWith("header:") || each.startsWith("cookie:"));
        }

        PolicyProperties with(
                List<LimitProperties> newLimits, Map<String, List<LimitProperties>> newPlans, PolicyMode newMode) {
            return new PolicyProperties(
                    newLimits, newPlans, key, paths, exclude, methods, tokens, chargeOn, newMode, skip, penalty,
                    backend, onFailure);
        }

        /** Returns the number that {@code tokens} is, or null if it is the name of a bean. */
        @Nullable
        Long fixedTokens() {
            try {
                return Long.valueOf(tokens);
            } catch (NumberFormatException e) {
                return null;
            }
        }
    }

    /**
     * Where the filter stands.
     *
     * @param orderBeforeSecurity The filter's order where it charges policies whose key does not need the user; Spring
     *     Security stands at -100
     * @param orderAfterSecurity The filter's order where it charges policies whose key may need the user: principal, or a
     *     KeyResolver bean
     */
    record FilterProperties(
            @DefaultValue("-110") int orderBeforeSecurity,
            @DefaultValue("-90") int orderAfterSecurity) {}

    /**
     * The limiter that keeps its buckets in this process.
     *
     * @param maximumKeys How many keys are tracked for each policy
     * @param synchronization How a bucket is guarded against threads that consume at the same time
     */
    record LocalProperties(
            @DefaultValue("100000") long maximumKeys,
            @DefaultValue("cas") Synchronization synchronization) {

        LocalProperties {
            if (maximumKeys < 1) {
                throw new InvalidRateLimitException(
                        "ratelimit.local.maximum-keys", "is " + maximumKeys + ", but must be at least 1");
            }
            if (synchronization == Synchronization.THREAD_LOCAL) {
                throw new InvalidRateLimitException(
                        "ratelimit.local.synchronization",
                        "is thread_local, under which a client would have a budget for each thread that serves it");
            }
        }
    }

    /**
     * Which address a request comes from.
     *
     * @param trustedProxies Addresses and CIDRs of the proxies whose header is believed
     * @param header The header in which they hand on the client's address
     * @param ipv6Prefix How many bits of an IPv6 address tell clients apart, from 32 to 64
     */
    record ClientAddressProperties(
            @DefaultValue List<String> trustedProxies,
            @DefaultValue("X-Forwarded-For") ForwardedHeader header,
            @DefaultValue("56") int ipv6Prefix) {

        ClientAddressProperties {
            if (ipv6Prefix < 32 || ipv6Prefix > 64) {
                throw new InvalidRateLimitException(
                        "ratelimit.client-address.ipv6-prefix", "is " + ipv6Prefix + ", but must be from 32 to 64");
            }
        }

        ClientAddress clientAddress() {
            List<Cidr> trusted = new ArrayList<>();
            for (String each : trustedProxies) {
                trusted.add(block(each));
            }
            return new ClientAddress(trusted, header, ipv6Prefix);
        }

        private static Cidr block(String text) {
            try {
                return Cidr.parse(text);
            } catch (IllegalArgumentException e) {
                throw new InvalidRateLimitException(
                        "ratelimit.client-address.trusted-proxies",
                        "has \"" + text + "\", which is neither an address nor a CIDR such as 10.0.0.0/8");
            }
        }
    }

    /**
     * The actuator's endpoint.
     *
     * @param showKeys Whether it shows the keys that are denied most as they are, with addresses and names of users, rather
     *     than their hashes; values of headers and cookies are hashed all the same
     */
    record ActuatorProperties(@DefaultValue("false") boolean showKeys) {}

    /** Returns the property by which there are buckets in Redis, or null if there are none. */
    @Nullable
    String redisProperty() {
        if (backend == Backend.REDIS) {
            return "ratelimit.backend";
        }
        for (Map.Entry<String, PolicyProperties> policy : policies.entrySet()) {
            if (isInRedis(policy.getValue())) {
                return property(policy.getKey(), "backend");
            }
        }
        return null;
    }

    boolean isInRedis(PolicyProperties properties) {
        return (properties.backend == null ? backend : properties.backend) == Backend.REDIS;
    }

    static String property(String policy, String property) {
        return "ratelimit.policies." + policy + '.' + property;
    }
}
