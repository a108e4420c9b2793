/** Buckets in Redis or Valkey, which several instances of an application share. */
@NullMarked
package dev.ratelimit.spring.redis;

import org.jspecify.annotations.NullMarked;
