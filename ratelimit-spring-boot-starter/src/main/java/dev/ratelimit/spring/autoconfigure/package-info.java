/** Reads {@code ratelimit.*} and wires the rest together. Nothing depends on this package. */
@NullMarked
package dev.ratelimit.spring.autoconfigure;

import org.jspecify.annotations.NullMarked;
