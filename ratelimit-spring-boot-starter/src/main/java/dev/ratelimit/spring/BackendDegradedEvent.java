package dev.ratelimit.spring;

/**
 * The backend cannot be asked any longer, and what policies say under {@code on-failure} decides in its place. It is
 * published within a second; nothing is for an outage that is over by then. Immutable.
 *
 * @param backend its name, as in {@code ratelimit.backend}
 */
public record BackendDegradedEvent(String backend) {}
