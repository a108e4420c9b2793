/** What operators see of the limits, and do about them: meters, events, health, the log and the endpoint. */
@NullMarked
package dev.ratelimit.spring.actuate;

import org.jspecify.annotations.NullMarked;
