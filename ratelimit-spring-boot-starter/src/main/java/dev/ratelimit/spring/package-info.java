/**
 * Rate limits for Spring applications: the {@link dev.ratelimit.spring.RateLimited} annotation, what it throws, and the
 * policies that application.yml names.
 *
 * <p>Start with the annotation, or with the {@link dev.ratelimit.RateLimiter} bean where code is to ask by itself. Beans of
 * the interfaces in here tell whose bucket a request is charged to, under which plan, and what it costs.
 *
 * <pre>{@code
 * @Service
 * class Reports {
 *     @RateLimited(limit = "5/1m", key = "#tenant")
 *     public String latest(String tenant) {
 *         return "the latest report of " + tenant;
 *     }
 * }
 * }</pre>
 *
 * <p>In this package and those below it, a public type or method without a page of its own has the tag {@code @hidden} in its
 * source: it is public for our other packages only, and may change with any release.
 *
 * @serial exclude
 */
@NullMarked
package dev.ratelimit.spring;

import org.jspecify.annotations.NullMarked;
