/** Assertions for the tests of applications with rate limits; {@link dev.ratelimit.test.RateLimitAssertions} has them all. */
@NullMarked
package dev.ratelimit.test;

import org.jspecify.annotations.NullMarked;
