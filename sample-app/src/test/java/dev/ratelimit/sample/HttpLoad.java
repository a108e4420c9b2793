package dev.ratelimit.sample;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * Clients that ask instances of the sample, in turn, as fast as they are answered; and what they were answered. A {@link Phase}
 * has keys of its own, each of which all clients use.
 */
final class HttpLoad implements AutoCloseable {
    static final int CLIENTS = 8;
    static final int KEYS = 4;

    /** Of a phase at least, so that of each key and instance more is asked than it has. */
    private static final int REQUESTS = 400;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final int[] ports;
    private final List<Phase> phases = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Queue<Exception> failures = new ConcurrentLinkedQueue<>();
    private volatile Phase phase = begin("cold");
    private volatile boolean ended;

    private HttpLoad(int... ports) {
        this.ports = ports;
    }

    /** Lets clients ask the instances at those ports, which are warm when it returns. */
    static HttpLoad on(int... ports) {
        HttpLoad load = new HttpLoad(ports);
        for (int i = 0; i < CLIENTS; i++) {
            int first = i;
            Thread thread = new Thread(() -> {
                for (int turn = first; !load.ended; turn++) {
                    load.ask(load.phase, turn);
                }
            });
            thread.setDaemon(true);
            thread.start();
            load.threads.add(thread);
        }
        await(load.phase, 0);
        return load;
    }

    /** Has the clients use other keys from now on. */
    Phase begin(String name) {
        Phase next = new Phase(name, phases.size());
        phases.add(next);
        phase = next;
        return next;
    }

    /** Has the clients use other keys for that long at least. */
    Phase phase(String name, long millis) {
        Phase next = begin(name);
        await(next, millis);
        return next;
    }

    private static void await(Phase current, long millis) {
        Awaitility.await()
                .atMost(millis + 60_000, TimeUnit.MILLISECONDS)
                .pollInterval(1, TimeUnit.MILLISECONDS)
                .until(() -> System.nanoTime() - current.begun >= TimeUnit.MILLISECONDS.toNanos(millis)
                        && current.answers.size() >= REQUESTS);
    }

    private void ask(Phase current, int turn) {
        int key = turn / 4 % KEYS;
        switch (turn % 4) {
            case 0 -> ask(current, turn, "api", key, "/api/hello");
            case 1 -> ask(current, turn, "reports", key, "/reports/" + current.number + "-" + key);
            case 2 -> ask(current, turn, "weather", 0, "/weather/Rome");
            default -> ask(current, turn, "ping", key, "/playground/ping");
        }
    }

    private void ask(Phase current, int turn, String limit, int key, String path) {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + ports[turn / (4 * KEYS) % ports.length] + path))
                .header("X-Forwarded-For", "10.0." + current.number + "." + key)
                .build();
        long start = System.nanoTime();
        try {
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            current.answered(response.statusCode(), System.nanoTime() - start);
            if (response.statusCode() == 200 && !response.body().startsWith("Known again in")) {
                current.admitted
                        .computeIfAbsent(limit, any -> new ConcurrentHashMap<>())
                        .merge(key, 1L, Long::sum);
            }
        } catch (IOException | InterruptedException e) {
            failures.add(e);
        }
    }

    /** Asks no more, and waits for the answers to what was asked. */
    void end() throws InterruptedException {
        ended = true;
        for (Thread thread : threads) {
            thread.join();
        }
    }

    @Override
    public void close() {
        ended = true;
    }

    /** Why requests had no answer. */
    Collection<Exception> failures() {
        return failures;
    }

    /** How many answers there were of each status. */
    Map<Integer, Long> statuses() {
        return statuses(phases.stream().flatMap(each -> each.answers.stream()).toList());
    }

    private static Map<Integer, Long> statuses(Collection<Answer> answers) {
        return answers.stream()
                .map(Answer::status)
                .collect(Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting()));
    }

    /** How long the slowest answer took once the instances were warm. */
    Duration slowest() {
        return Duration.ofNanos(phases.stream()
                .skip(1)
                .flatMap(each -> each.answers.stream())
                .mapToLong(Answer::nanos)
                .max()
                .orElseThrow());
    }

    /** Prints how each phase went. */
    void report() {
        for (Phase each : phases) {
            long[] nanos =
                    each.answers.stream().mapToLong(Answer::nanos).sorted().toArray();
            if (nanos.length > 0) {
                System.out.printf(
                        "%-10s %6d requests %s: median %.1f ms, p99.9 %.1f ms, slowest %.1f ms%n",
                        each.name,
                        nanos.length,
                        statuses(each.answers),
                        nanos[nanos.length / 2] / 1e6,
                        nanos[(int) (nanos.length * 0.999)] / 1e6,
                        nanos[nanos.length - 1] / 1e6);
            }
        }
    }

    private record Answer(int status, long nanos) {}

    /** What came of the requests of a while. */
    static final class Phase {
        private final String name;
        private final int number;
        private final long begun = System.nanoTime();
        private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
        private final Map<String, Map<Integer, Long>> admitted = new ConcurrentHashMap<>();
        private volatile long answered = begun;

        private Phase(String name, int number) {
            this.name = name;
            this.number = number;
        }

        private void answered(int status, long nanos) {
            answers.add(new Answer(status, nanos));
            answered = System.nanoTime();
        }

        /** How many requests each key of a limit had admitted, of those that had any. */
        Collection<Long> admitted(String limit) {
            return admitted.getOrDefault(limit, Map.of()).values();
        }

        /** How many tokens of 5/1m have flowed in at most. */
        long refilled() {
            return 1 + Duration.ofNanos(answered - begun).toSeconds() / 12;
        }
    }
}
