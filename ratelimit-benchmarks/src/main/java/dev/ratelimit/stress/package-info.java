/** Races between two threads on one bucket, run by jcstress; what may be seen is part of each class. */
@NullMarked
package dev.ratelimit.stress;

import org.jspecify.annotations.NullMarked;
