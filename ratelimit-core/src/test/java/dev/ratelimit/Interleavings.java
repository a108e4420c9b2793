package dev.ratelimit;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.jetbrains.lincheck.datastructures.CTestConfiguration;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Options;
import org.jetbrains.lincheck.datastructures.StressOptions;

/**
 * How long Lincheck looks for interleavings of two threads that no order of the same calls explains: in so many
 * {@code -Dlincheck.iterations} made up of random calls, at so many invocations of each, {@code -Dlincheck.modelled} step by
 * step and {@code -Dlincheck.stress} on real threads, which are faster and meet more rarely. Without more said it looks for
 * seconds; {@code mvn -P proofs verify} has it look for longer, and tell how far it is.
 */
final class Interleavings {
    private static final int ITERATIONS = Integer.getInteger("lincheck.iterations", 6);
    private static final int MODELLED = Integer.getInteger("lincheck.modelled", 50);
    private static final int STRESS = Integer.getInteger("lincheck.stress", 100);
    private static final boolean PROGRESS = Boolean.getBoolean("lincheck.progress");

    private Interleavings() {}

    /**
     * Returns options for threads that Lincheck switches between, step by step, but not within the {@code inOneStep}: these
     * reckon with values that are their thread's own or that nobody writes, and to look into them takes most of the time.
     */
    static ModelCheckingOptions modelled(Class<?>... inOneStep) {
        ModelCheckingOptions options = of(new ModelCheckingOptions()).invocationsPerIteration(MODELLED);
        for (Class<?> each : inOneStep) {
            options.addGuarantee(ManagedStrategyGuaranteeKt.forClasses(each.getName())
                    .allMethods()
                    .ignore());
        }
        return options;
    }

    /** Returns options for threads that the machine runs. */
    static StressOptions onRealThreads() {
        return of(new StressOptions()).invocationsPerIteration(STRESS);
    }

    /** Nothing comes before the race, since that would use up the tokens that are raced for. */
    private static <O extends Options<O, C>, C extends CTestConfiguration> O of(O options) {
        return options.iterations(ITERATIONS)
                .threads(2)
                .actorsBefore(0)
                .actorsPerThread(2)
                .actorsAfter(2);
    }

    /** Fails if there is such an interleaving of {@code calls}. */
    static void check(Options<?, ?> options, Class<?> calls) {
        OperatingSystemMXBean machine = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long start = machine.getProcessCpuTime();
        options.check(calls);
        if (PROGRESS) {
            Duration taken = Duration.ofNanos(machine.getProcessCpuTime() - start);
            System.out.println(calls.getName() + ", " + options.getClass().getSimpleName() + ": " + taken.toMillis()
                    + " ms of the processor");
        }
    }
}
