/**
 * Assertions for the tests of applications with rate limits; {@link dev.ratelimit.test.RateLimitAssertions} has them all.
 *
 * <pre>{@code
 * assertThat(mvc.get().uri("/api/hello")).isRateLimited().retryAfter(12).violates("api");
 * clock.advance(Duration.ofSeconds(12));
 * assertThat(mvc.get().uri("/api/hello")).isAllowed();
 * }</pre>
 */
@NullMarked
package dev.ratelimit.test;

import org.jspecify.annotations.NullMarked;
