package dev.ratelimit.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Starts a small web application without the starter and with it, in turn, each in a JVM of its own, and prints what it adds until
 * there is an answer to requests: medians of the differences within a round. Takes the number of rounds, and the port of a Redis.
 */
public final class StartUp {
    private static final String OURS = "dev.ratelimit.spring.autoconfigure.RateLimit";
    private static final List<String> FOR_OPERATORS = List.of("Actuator", "Metrics", "Health");
    private static final List<String> ALL =
            List.of("", "Web", "Redis", FOR_OPERATORS.get(0), FOR_OPERATORS.get(1), FOR_OPERATORS.get(2));

    private StartUp() {}

    /** What is started; all of them have an actuator and Redis on their class path, and so has the one without. */
    private enum Application {
        WITHOUT(ALL),
        LETTUCE(ALL), // and a connection by it, as whoever has Redis already has one
        NO_POLICY(FOR_OPERATORS),
        ONE_POLICY(FOR_OPERATORS, "policies.api.limits=100/1m", "policies.api.key=ip", "policies.api.paths=/api/**"),
        WITH_METERS(List.of(), ONE_POLICY.properties),
        IN_REDIS(
                List.of(),
                Stream.concat(Stream.of("backend=redis"), Stream.of(ONE_POLICY.properties))
                        .toArray(String[]::new));

        private final List<String> left; // out, of our auto-configurations
        private final String[] properties;

        Application(List<String> left, String... properties) {
            this.left = left;
            this.properties = properties;
        }

        String[] arguments(String redisPort) {
            List<String> arguments = new ArrayList<>(List.of(
                    "--server.port=0",
                    "--logging.level.root=warn",
                    "--spring.main.banner-mode=off",
                    "--management.endpoints.web.exposure.include=*",
                    "--spring.data.redis.port=" + redisPort,
                    "--spring.autoconfigure.exclude="
                            + String.join(
                                    ",",
                                    left.stream()
                                            .map(each -> OURS + each + "AutoConfiguration")
                                            .toList())));
            for (String each : properties) {
                arguments.add("--ratelimit." + each);
            }
            return arguments.toArray(String[]::new);
        }
    }

    /** What a start took. */
    private record Cost(double millis, double cpuMillis, double heapKilobytes, double classes) {

        static Cost ofThisProcess() {
            double millis = ManagementFactory.getRuntimeMXBean().getUptime();
            double cpu = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class)
                            .getProcessCpuTime()
                    / 1e6;
            int classes = ManagementFactory.getClassLoadingMXBean().getLoadedClassCount();
            for (int i = 0; i < 3; i++) { // as a collection may find what the one before has left to others
                System.gc();
            }
            double heap =
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / 1e3;
            return new Cost(millis, cpu, heap, classes);
        }

        static Cost parse(String line) {
            double[] numbers =
                    Stream.of(line.split(" ")).mapToDouble(Double::parseDouble).toArray();
            return new Cost(numbers[0], numbers[1], numbers[2], numbers[3]);
        }

        String text() {
            return String.format(Locale.ROOT, "%.1f %.1f %.1f %.0f", millis, cpuMillis, heapKilobytes, classes);
        }

        double[] beyond(Cost other) {
            return new double[] {
                millis - other.millis,
                cpuMillis - other.cpuMillis,
                heapKilobytes - other.heapKilobytes,
                classes - other.classes
            };
        }
    }

    public static void main(String[] args) throws Exception {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        String redisPort = args.length > 1 ? args[1] : "6379";
        Application[] all = Application.values();
        List<Cost[]> costs = new ArrayList<>();
        for (int round = -1; round < rounds; round++) { // one to warm up the files
            Cost[] of = new Cost[all.length];
            for (int i = 0; i < all.length; i++) {
                int turn = Math.floorMod(i + round, all.length);
                of[turn] = start(all[turn], redisPort);
            }
            if (round >= 0) {
                costs.add(of);
                System.out.println(round + ": " + Arrays.toString(of));
            }
        }
        System.out.printf("%n%-12s %8s %8s %8s %8s%n", "median of", "ms", "CPU ms", "heap kB", "classes");
        print(all[0], costs.stream().map(each -> each[0].beyond(new Cost(0, 0, 0, 0))));
        for (int i = 1; i < all.length; i++) {
            int turn = i;
            print(all[i], costs.stream().map(each -> each[turn].beyond(each[0])));
        }
    }

    private static void print(Application application, Stream<double[]> samples) {
        List<double[]> all = samples.toList();
        System.out.printf("%-12s", application);
        for (int i = 0; i < 4; i++) {
            int column = i;
            double[] sorted =
                    all.stream().mapToDouble(each -> each[column]).sorted().toArray();
            System.out.printf(" %8.0f", sorted[sorted.length / 2]);
        }
        System.out.println();
    }

    private static Cost start(Application application, String redisPort) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:SoftRefLRUPolicyMSPerMB=0", // or what is cached counts, too, as long as there is room
                        "-cp",
                        System.getProperty("java.class.path"),
                        Started.class.getName(),
                        application.name(),
                        redisPort)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) {
            throw new IllegalStateException(application + " ended with " + process.exitValue() + ": " + printed);
        }
        return Cost.parse(printed.substring(printed.lastIndexOf('\n') + 1));
    }

    /** The process that is measured. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @RestController
    static class Started {

        public static void main(String[] args) {
            Application application = Application.valueOf(args[0]);
            String[] arguments = application.arguments(args[1]);
            try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Started.class).run(arguments)) {
                if (application == Application.LETTUCE) {
                    context.getBean(RedisConnectionFactory.class)
                            .getConnection()
                            .close();
                }
                String cost = Cost.ofThisProcess().text();
                System.out.println(context.isRunning() ? cost : "not running");
            }
        }

        @GetMapping("/api/orders")
        String orders() {
            return "all orders";
        }
    }
}
