package dev.ratelimit;

import java.time.Duration;
import java.util.List;

/**
 * Keeps one bucket for each policy and key, and decides who may pass. This is the seam for backends; implementations are
 * thread-safe.
 *
 * <p>A key is any string; its bucket is full until it is first charged. Every method throws
 * {@link IllegalArgumentException} if it is asked for less than one token, and {@link NullPointerException} for a null.
 *
 * <pre>{@code
 * Policy export = Policy.of("export", Limit.parse("100/1h"));
 * Decision decision = limiter.tryConsume(export, "acme", 20);
 * if (!decision.allowed()) {
 *     throw new IllegalStateException("again in " + Duration.ofNanos(decision.retryAfterNanos()));
 * }
 * limiter.refund(export, "acme", 5); // it took fewer pages
 * }</pre>
 */
public interface RateLimiter {

    /**
     * Decides all claims together: either every one is allowed and charged, or none is charged.
     *
     * <p>Two claims on one bucket are added up. Where one claim is denied the others say what they would have left.
     *
     * @param claims who asks for how many tokens of which policies
     * @return one decision for each claim, in their order; the request is allowed if and only if all of them are
     */
    List<Decision> tryConsume(List<Claim> claims);

    /**
     * Decides all claims together, as {@link #tryConsume(List)} does, for a caller who waits: every one is allowed and charged
     * at once, before all who come later, if its tokens are there within {@code maxWait}, and none is charged otherwise.
     *
     * <p>The caller may go on after the longest {@link Decision#retryAfterNanos} of the decisions, and it is the caller who
     * waits. There is no default: one that is made of the other methods could not keep callers from taking the same place,
     * and one that never waits would quietly do away with all waits behind a limiter that only passes on.
     *
     * <p>A caller who then does not go on can {@linkplain Reservation#undo undo} it, be it that it waited for nothing.
     *
     * @param claims as for {@link #tryConsume(List)}
     * @param maxWait zero or less not to wait at all; there is no longest
     * @return the decisions, and the way to undo them
     */
    Reservation reserve(List<Claim> claims, Duration maxWait);

    /**
     * Consumes {@code tokens} from the bucket of {@code key} if it holds that many, and none otherwise.
     *
     * @param policy under which limits
     * @param key whose bucket
     * @param tokens how many, at least 1; more than the capacity is a denial that {@linkplain Decision#never() never} ends
     * @return the decision
     */
    default Decision tryConsume(Policy policy, String key, long tokens) {
        return tryConsume(List.of(new Claim(policy, key, tokens))).get(0);
    }

    /**
     * {@return what {@link #tryConsume(Policy, String, long)} would have returned} It consumes nothing.
     *
     * @param policy under which limits
     * @param key whose bucket
     * @param tokens how many, at least 1
     */
    Decision peek(Policy policy, String key, long tokens);

    /**
     * Gives back {@code tokens} to the bucket of {@code key}, up to its capacity and no further; also such as have flowed in
     * again since they were taken, which {@link Reservation#undo} does not.
     *
     * @param policy under which they were taken
     * @param key whose bucket
     * @param tokens how many, at least 1; any larger number than is missing fills the bucket
     */
    void refund(Policy policy, String key, long tokens);

    /**
     * Takes {@code tokens} that were used already, whether the bucket of {@code key} holds them or not. What it lacks is a
     * debt: until that has flowed back, the key is denied.
     *
     * @param policy under which limits
     * @param key whose bucket
     * @param tokens how many, at least 1
     */
    void charge(Policy policy, String key, long tokens);

    /**
     * Fills the bucket of {@code key}, and forgets what it owed.
     *
     * @param policy under which limits
     * @param key whose bucket
     */
    void reset(Policy policy, String key);
}
