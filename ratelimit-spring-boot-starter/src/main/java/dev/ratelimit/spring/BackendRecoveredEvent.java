package dev.ratelimit.spring;

/**
 * The backend decides again, after a {@link BackendDegradedEvent}. Immutable.
 *
 * <pre>{@code
 * @EventListener
 * void on(BackendRecoveredEvent event) {
 *     log.info(event.backend() + " decides again");
 * }
 * }</pre>
 *
 * @param backend its name, as in {@code ratelimit.backend}
 */
public record BackendRecoveredEvent(String backend) {}
