package dev.ratelimit.spring.soak;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** The application in a JVM of its own, with a small heap; and what can be told of it from outside. */
final class SoakProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Pattern STARTED = Pattern.compile("Tomcat started on port (\\d+)");
    private static final Pattern TOTAL = Pattern.compile("^Total\\s+\\d+\\s+(\\d+)", Pattern.MULTILINE);
    private static final Pattern THREAD = Pattern.compile("^\"([^\"]+)\"", Pattern.MULTILINE);
    private static final Pattern VALUE = Pattern.compile("\"value\":([0-9.E]+)");
    private static final Path BIN = Path.of(System.getProperty("java.home"), "bin");

    private final HttpClient http = HttpClient.newHttpClient();
    private final Path log = Files.createTempFile("soak-", ".log");
    private final Process process;
    private final int port;

    SoakProcess(int redisPort) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                BIN.resolve("java").toString(),
                "-Xmx128m",
                "-XX:+ExitOnOutOfMemoryError",
                "-cp",
                System.getProperty("surefire.real.class.path", System.getProperty("java.class.path")),
                SoakApplication.class.getName()));
        Stream.of(SoakApplication.properties(redisPort))
                .map(property -> "--" + property)
                .forEach(command::add);
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        port = Integer.parseInt(awaitLine(STARTED).group(1));
    }

    private MatchResult awaitLine(Pattern pattern) {
        return Awaitility.await()
                .atMost(PATIENCE)
                .until(
                        () -> {
                            if (!process.isAlive()) {
                                throw new IllegalStateException("it ended: " + log());
                            }
                            return pattern.matcher(log()).results().findFirst();
                        },
                        found -> found.isPresent())
                .orElseThrow();
    }

    int port() {
        return port;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** All that it has printed. */
    String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** How many bytes the objects take that are left after a full collection. */
    long liveHeap() {
        return TOTAL.matcher(histogram())
                .results()
                .mapToLong(total -> Long.parseLong(total.group(1)))
                .sum();
    }

    /** The classes of these objects, the largest first. */
    String histogram() {
        return jcmd("GC.class_histogram");
    }

    /** How many threads there are of each kind: those with the same name but for numbers. */
    Map<String, Integer> threads() {
        Map<String, Integer> threads = new TreeMap<>();
        THREAD.matcher(jcmd("Thread.print"))
                .results()
                .forEach(name -> threads.merge(name.group(1).replaceAll("[0-9]+", "*"), 1, Integer::sum));
        return threads;
    }

    private String jcmd(String command) {
        try {
            Process jcmd = new ProcessBuilder(BIN.resolve("jcmd").toString(), Long.toString(process.pid()), command)
                    .redirectErrorStream(true)
                    .start();
            return new String(jcmd.getInputStream().readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The value of a meter, with those tags if there are any. */
    double metric(String name, String... tags) {
        StringBuilder query = new StringBuilder();
        for (String tag : tags) {
            query.append(query.isEmpty() ? "?tag=" : "&tag=").append(tag);
        }
        String answer = send(HttpRequest.newBuilder(uri("/actuator/metrics/" + name + query)));
        return VALUE.matcher(answer)
                .results()
                .mapToDouble(value -> Double.parseDouble(value.group(1)))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(name + ": " + answer));
    }

    /** Changes the limits of a policy while requests run. */
    void change(String policy, String limits) {
        send(HttpRequest.newBuilder(uri("/actuator/ratelimit/policies/" + policy))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"limits\": \"" + limits + "\"}")));
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    private String send(HttpRequest.Builder request) {
        try {
            HttpResponse<String> answer = http.send(request.build(), BodyHandlers.ofString());
            if (answer.statusCode() >= 300) {
                throw new IllegalStateException(answer + ": " + answer.body());
            }
            return answer.body();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Closes the application, but leaves the JVM, so that it can be seen what is left there. */
    void closeApplication() throws IOException {
        next();
        awaitLine(Pattern.compile(SoakApplication.CLOSED));
    }

    /** Lets the JVM end, and returns with what. */
    int end() throws IOException, InterruptedException {
        next();
        return process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS) ? process.exitValue() : -1;
    }

    private void next() throws IOException {
        OutputStream in = process.getOutputStream();
        in.write('\n');
        in.flush();
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        Files.delete(log);
    }
}
