/** What operators see of the limits: meters, events, health, and one line in the log for many denials. */
@NullMarked
package dev.ratelimit.spring.actuate;

import org.jspecify.annotations.NullMarked;
