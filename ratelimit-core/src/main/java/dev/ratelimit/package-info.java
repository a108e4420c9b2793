/**
 * Thread-safe token buckets, and a limiter that keeps one bucket per client.
 *
 * <p>Start with {@link dev.ratelimit.TokenBucket#of} for one bucket, or with
 * {@link dev.ratelimit.LocalRateLimiter#builder} for one per key, and read the {@link dev.ratelimit.Decision} that either
 * answers. Tests put both on a {@link dev.ratelimit.ManualClock}.
 *
 * <pre>{@code
 * RateLimiter limiter = LocalRateLimiter.builder().build();
 * Policy api = Policy.of("api", Limit.parse("100/1m"));
 * Decision decision = limiter.tryConsume(api, "alice", 1);
 * }</pre>
 *
 * <p>A public type without a page of its own has the tag {@code @hidden} in its source: it is public for our other modules
 * only, and may change with any release.
 *
 * @serial exclude
 */
@NullMarked
package dev.ratelimit;

import org.jspecify.annotations.NullMarked;
