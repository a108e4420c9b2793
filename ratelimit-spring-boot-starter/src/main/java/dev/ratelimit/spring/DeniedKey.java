package dev.ratelimit.spring;

/**
 * A key that was denied. Immutable.
 *
 * @param key that of the bucket
 * @param denials how many of its denials are certain; there may have been more
 */
public record DeniedKey(String key, long denials) {}
