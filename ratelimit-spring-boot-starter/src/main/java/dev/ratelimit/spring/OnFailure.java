package dev.ratelimit.spring;

/**
 * What decides in place of a backend that cannot be asked.
 *
 * @hidden
 */
public enum OnFailure {
    /** A bucket of this process, which holds its share of the limits and was kept up to date while the backend answered. */
    LOCAL,

    /** Nobody: the request is denied as {@linkplain dev.ratelimit.Decision#unavailable() unavailable}. */
    DENY,

    /** Nobody: the request passes. */
    ALLOW
}
