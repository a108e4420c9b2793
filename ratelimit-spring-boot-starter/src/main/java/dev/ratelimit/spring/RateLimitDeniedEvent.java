package dev.ratelimit.spring;

/**
 * A policy has denied requests or calls. There is one event for all that were denied since the one before, at most one a
 * second for each policy, so that a flood of denials is no flood of events. Immutable.
 *
 * <pre>{@code
 * @EventListener
 * void on(RateLimitDeniedEvent event) {
 *     log.info(event.denials() + " denied by " + event.policy());
 * }
 * }</pre>
 *
 * @param policy the policy's name
 * @param denials how many there were; at least 1
 */
public record RateLimitDeniedEvent(String policy, long denials) {}
