package dev.ratelimit;

import org.jetbrains.lincheck.datastructures.CTestConfiguration;
import org.jetbrains.lincheck.datastructures.Options;

/**
 * How long Lincheck looks for interleavings of two threads that no order of the same calls explains: in so many
 * {@code -Dlincheck.iterations} made up of random calls, at so many {@code -Dlincheck.invocations} of each. Without more
 * said it looks for seconds; {@code mvn -P proofs verify} has it look for longer.
 */
final class Interleavings {
    private static final int ITERATIONS = Integer.getInteger("lincheck.iterations", 10);
    static final int INVOCATIONS = Integer.getInteger("lincheck.invocations", 50);

    private Interleavings() {}

    /** Returns {@code options} with nothing before the race, since that would use up the tokens that are raced for. */
    static <O extends Options<O, C>, C extends CTestConfiguration> O of(O options) {
        return options.iterations(ITERATIONS)
                .invocationsPerIteration(INVOCATIONS)
                .threads(2)
                .actorsBefore(0)
                .actorsPerThread(2)
                .actorsAfter(2);
    }
}
