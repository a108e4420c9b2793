package dev.ratelimit.spring;

/**
 * The backend decides again, after a {@link BackendDegradedEvent}. Immutable.
 *
 * @param backend its name, as in {@code ratelimit.backend}
 */
public record BackendRecoveredEvent(String backend) {}
