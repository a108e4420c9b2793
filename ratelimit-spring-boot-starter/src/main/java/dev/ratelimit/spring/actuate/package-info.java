/**
 * What an operator sees of the limits, and does about them: meters, events, health, one line in the log for many denials, and
 * the actuator's endpoint.
 */
@NullMarked
package dev.ratelimit.spring.actuate;

import org.jspecify.annotations.NullMarked;
