/** Shows rate limits in a small application: in front of paths, on a method, by the cost of a call, and on calls to others. */
@NullMarked
package dev.ratelimit.sample;

import org.jspecify.annotations.NullMarked;
