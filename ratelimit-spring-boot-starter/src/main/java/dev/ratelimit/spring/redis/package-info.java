/**
 * Buckets in Redis or Valkey, which several instances of an application share. {@code ratelimit.backend} says so; code asks
 * the {@link dev.ratelimit.RateLimiter} bean as ever, and no type in here.
 */
@NullMarked
package dev.ratelimit.spring.redis;

import org.jspecify.annotations.NullMarked;
