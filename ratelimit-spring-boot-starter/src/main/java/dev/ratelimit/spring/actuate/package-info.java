/** What an operator sees of rate limits, and does about them, by the actuator. */
@NullMarked
package dev.ratelimit.spring.actuate;

import org.jspecify.annotations.NullMarked;
