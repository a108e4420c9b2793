package dev.ratelimit.spring;

/**
 * The backend cannot be asked any longer, and what policies say under {@code on-failure} decides in its place. It is
 * published within a second; nothing is for an outage that is over by then. Immutable.
 *
 * <pre>{@code
 * @EventListener
 * void on(BackendDegradedEvent event) {
 *     log.warn(event.backend() + " cannot be asked, and each instance counts for itself");
 * }
 * }</pre>
 *
 * @param backend its name, as in {@code ratelimit.backend}
 */
public record BackendDegradedEvent(String backend) {}
