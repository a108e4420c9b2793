/** What a decision costs: beside the clock, beside other limiters, in time, allocation and heap. */
@NullMarked
package dev.ratelimit.benchmarks;

import org.jspecify.annotations.NullMarked;
