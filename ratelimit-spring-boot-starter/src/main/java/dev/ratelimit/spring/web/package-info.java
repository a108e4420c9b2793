/** The door for HTTP: which policies apply to a request, whose key it has, and how the answer looks on the wire. */
@NullMarked
package dev.ratelimit.spring.web;

import org.jspecify.annotations.NullMarked;
