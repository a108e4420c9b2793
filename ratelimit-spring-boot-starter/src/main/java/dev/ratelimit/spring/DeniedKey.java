package dev.ratelimit.spring;

/**
 * A key that was denied. Immutable.
 *
 * @param key that of the bucket, or the {@link dev.ratelimit.KeyDigest} of one that is long
 * @param denials how many of its denials are certain; there may have been more
 * @hidden
 */
public record DeniedKey(String key, long denials) {}
