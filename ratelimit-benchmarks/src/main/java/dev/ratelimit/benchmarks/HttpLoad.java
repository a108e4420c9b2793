package dev.ratelimit.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Loads two Tomcats in this process in turn, one with the filter and one without, and prints how their requests per second
 * compare. Takes the number of connections, of rounds, and the seconds of each.
 */
public final class HttpLoad {
    private static final byte[] REQUEST =
            "GET /api/orders HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    /** The body, and so the end of a response. */
    private static final byte[] END = "all orders".getBytes(StandardCharsets.US_ASCII);

    private HttpLoad() {}

    public static void main(String[] args) throws Exception {
        int connections = args.length > 0 ? Integer.parseInt(args[0]) : 8;
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 10;
        long nanos = TimeUnit.SECONDS.toNanos(args.length > 2 ? Integer.parseInt(args[2]) : 5);
        ExecutorService clients = Executors.newFixedThreadPool(connections);
        try (ConfigurableApplicationContext with = start(true);
                ConfigurableApplicationContext without = start(false)) {
            double[] ratios = new double[rounds];
            for (int round = -2; round < rounds; round++) { // two to warm up
                double filtered = perSecond(clients, connections, port(with), nanos);
                double bare = perSecond(clients, connections, port(without), nanos);
                System.out.printf("%.0f a second with, %.0f without: %.3f%n", filtered, bare, filtered / bare);
                if (round >= 0) {
                    ratios[round] = filtered / bare;
                }
            }
            Arrays.sort(ratios);
            System.out.printf(
                    "%nmedian %.3f, lowest %.3f, highest %.3f%n", ratios[rounds / 2], ratios[0], ratios[rounds - 1]);
        } finally {
            clients.shutdownNow();
        }
    }

    private static ConfigurableApplicationContext start(boolean filtered) {
        return new SpringApplicationBuilder(Application.class)
                .properties(
                        "server.port=0",
                        "server.tomcat.max-keep-alive-requests=-1",
                        "logging.level.root=warn",
                        "spring.main.banner-mode=off",
                        // or each request would be observed, which costs more than to limit it
                        "spring.autoconfigure.exclude="
                                + "org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration",
                        "ratelimit.enabled=" + filtered,
                        "ratelimit.policies.api.limits=300000000/1s burst 1000000000000",
                        "ratelimit.policies.api.paths=/api/**")
                .run();
    }

    private static int port(ConfigurableApplicationContext server) {
        return server.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
    }

    private static double perSecond(ExecutorService clients, int connections, int port, long nanos) throws Exception {
        List<Callable<Long>> work = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            work.add(() -> requests(port, nanos));
        }
        long start = System.nanoTime();
        long requests = 0;
        for (Future<Long> each : clients.invokeAll(work)) {
            requests += each.get();
        }
        return requests * 1e9 / (System.nanoTime() - start);
    }

    /** Sends one request after the other over one connection, and returns how many were answered. */
    private static long requests(int port, long nanos) throws IOException {
        byte[] buffer = new byte[4096];
        long requests = 0;
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setTcpNoDelay(true);
            InputStream in = socket.getInputStream();
            long start = System.nanoTime();
            while (System.nanoTime() - start < nanos) {
                socket.getOutputStream().write(REQUEST);
                int length = 0;
                while (!endsResponse(buffer, length)) {
                    int read = in.read(buffer, length, buffer.length - length);
                    if (read < 0) {
                        throw new IOException("the server hung up");
                    }
                    length += read;
                }
                requests++;
            }
        }
        return requests;
    }

    private static boolean endsResponse(byte[] buffer, int length) {
        return length >= END.length && Arrays.equals(buffer, length - END.length, length, END, 0, END.length);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @RestController
    static class Application {

        @GetMapping("/api/orders")
        String orders() {
            return "all orders";
        }
    }
}
