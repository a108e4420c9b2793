/**
 * Reads {@code ratelimit.*} and wires the rest together. Nothing depends on this package.
 *
 * <p>Its classes are there to be named: excluded, or imported where a slice of an application is tested.
 *
 * <pre>{@code
 * @WebMvcTest
 * @ImportAutoConfiguration({RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class})
 * class LimitedSliceTest {}
 * }</pre>
 */
@NullMarked
package dev.ratelimit.spring.autoconfigure;

import org.jspecify.annotations.NullMarked;
