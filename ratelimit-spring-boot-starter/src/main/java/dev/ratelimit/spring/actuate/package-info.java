/**
 * What an operator sees of the limits, and does about them: meters, events, health, one line in the log for many denials, and
 * the actuator's endpoint. It is there for whoever has an actuator, by its names on the wire; no type in here is for code.
 */
@NullMarked
package dev.ratelimit.spring.actuate;

import org.jspecify.annotations.NullMarked;
