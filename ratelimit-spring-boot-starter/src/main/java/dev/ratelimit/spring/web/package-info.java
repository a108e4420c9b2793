/**
 * The door for HTTP: which policies apply to a request, whose key it has, and how the answer looks on the wire.
 *
 * <p>A bean of the application's own takes the place of either part of the answer: the {@code RateLimit} fields, and the
 * response to a request that was denied.
 *
 * <pre>{@code
 * @Bean
 * RateLimitFields noFields() {
 *     return RateLimitFields.NONE;
 * }
 * }</pre>
 */
@NullMarked
package dev.ratelimit.spring.web;

import org.jspecify.annotations.NullMarked;
