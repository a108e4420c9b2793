/**
 * Rate limits for Spring applications: the {@link dev.ratelimit.spring.RateLimited} annotation, what it throws, and the
 * policies that application.yml names.
 */
@NullMarked
package dev.ratelimit.spring;

import org.jspecify.annotations.NullMarked;
