/** What only hours show: the application under load, and started again and again. */
@NullMarked
package dev.ratelimit.spring.soak;

import org.jspecify.annotations.NullMarked;
