package dev.ratelimit.benchmarks;

import java.util.Arrays;
import java.util.Collection;
import java.util.Objects;
import java.util.stream.Collectors;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.util.Statistics;

/** Runs benchmarks and prints them as multiples of one, since times tell more about the machine than about the code. */
public final class Ratios {
    private static final String ALLOCATION = "gc.alloc.rate.norm";

    private Ratios() {}

    /** Takes a part of the name of the benchmark that counts as 1, and then what JMH takes. */
    public static void main(String[] args) throws RunnerException, CommandLineOptionException {
        String unit = args[0];
        String[] options = Arrays.copyOfRange(args, 1, args.length);
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .parent(new CommandLineOptions(options))
                        .shouldFailOnError(true)
                        .build())
                .run();
        double one = results.stream()
                .filter(each -> name(each).contains(unit))
                .mapToDouble(Ratios::nanos)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no benchmark of the run is called " + unit));
        System.out.printf("%n| decision | times %s | lowest to highest | bytes |%n|---|---|---|---|%n", unit);
        for (RunResult each : results) {
            Statistics nanos = each.getPrimaryResult().getStatistics();
            System.out.printf(
                    "| %s | %.2f | %.2f to %.2f | %s |%n",
                    name(each), nanos(each) / one, nanos.getMin() / one, nanos.getMax() / one, bytes(each));
        }
    }

    private static String name(RunResult result) {
        BenchmarkParams params = result.getParams();
        String benchmark = params.getBenchmark().replaceFirst(".*\\.(\\w+\\.\\w+)$", "$1");
        return params.getParamsKeys().stream()
                .map(params::getParam)
                .map(Objects::toString)
                .collect(Collectors.joining(" ", benchmark + ' ', ""))
                .strip();
    }

    /** Returns the median of the iterations, which a busy neighbour moves less than their mean. */
    private static double nanos(RunResult result) {
        return result.getPrimaryResult().getStatistics().getPercentile(50);
    }

    private static String bytes(RunResult result) {
        Result<?> allocation = result.getSecondaryResults().get(ALLOCATION);
        return allocation == null ? "" : String.format("%.0f", allocation.getScore());
    }
}
