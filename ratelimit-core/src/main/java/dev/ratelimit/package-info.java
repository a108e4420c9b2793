/**
 * Thread-safe token buckets, and a limiter that keeps one bucket per client.
 *
 * <p>Start with {@link dev.ratelimit.TokenBucket#of} for one bucket, or with
 * {@link dev.ratelimit.LocalRateLimiter#builder} for one per key.
 */
@NullMarked
package dev.ratelimit;

import org.jspecify.annotations.NullMarked;
