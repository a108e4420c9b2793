/** Shows rate limits in a small application: in front of paths, on a method, and by the cost of a call. */
@NullMarked
package dev.ratelimit.sample;

import org.jspecify.annotations.NullMarked;
