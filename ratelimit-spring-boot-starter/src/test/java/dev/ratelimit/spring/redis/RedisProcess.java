package dev.ratelimit.spring.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;
import org.springframework.util.FileSystemUtils;
import redis.embedded.core.ExecutableProvider;

/**
 * A real server in a process of its own, for tests that hurt it. It is the Redis that embedded-redis ships, or the one that the
 * environment variable {@code EMBEDDED_REDIS_EXECUTABLE} names. Where it cannot start, a test fails; with
 * {@code -Dredis.tests=skip} it is skipped instead.
 */
public final class RedisProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final int port;
    private final Path directory;
    private final List<String> command;
    private Process process;

    /** Whether servers are those that a dependency brings. */
    static boolean isEmbedded() {
        return System.getenv(ExecutableProvider.ENVIRONMENT_EXECUTABLE_LOCATION) == null;
    }

    private RedisProcess(int port, Path directory, List<String> command) throws IOException {
        this.port = port;
        this.directory = directory;
        this.command = command;
        this.process = launch(List.of());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> process.destroyForcibly()));
    }

    /** Starts a server with settings as in redis.conf, each {@code "name value"}. */
    public static RedisProcess start(String... settings) {
        return start(List.of(), settings);
    }

    /** Starts a Sentinel that is the only one, so that its word is enough for a failover. */
    static RedisProcess startSentinel(RedisProcess master, Duration downAfter) {
        return start(
                List.of("--sentinel"),
                "sentinel monitor main 127.0.0.1 " + master.port() + " 1",
                "sentinel down-after-milliseconds main " + downAfter.toMillis(),
                "sentinel failover-timeout main 1000");
    }

    private static RedisProcess start(List<String> options, String... settings) {
        Assumptions.assumeFalse("skip".equals(System.getProperty("redis.tests")), "skipped by -Dredis.tests=skip");
        try {
            int port = freePort();
            Path directory = Files.createTempDirectory("redis-" + port + "-");
            List<String> lines = new ArrayList<>(List.of("port " + port, "bind 127.0.0.1", "dir " + directory));
            if (options.isEmpty()) {
                lines.addAll(List.of("save \"\"", "rdbcompression no", "repl-diskless-sync-delay 0"));
            }
            lines.addAll(List.of(settings));
            Path file = Files.write(directory.resolve("redis.conf"), lines);
            List<String> command = new ArrayList<>(List.of(Executable.PATH, file.toString()));
            command.addAll(options);
            RedisProcess server = new RedisProcess(port, directory, command);
            server.awaitAnswer();
            return server;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** A port that clients are not given by the system, so that it is still free when the server comes back. */
    private static int freePort() {
        while (true) {
            int port = ThreadLocalRandom.current().nextInt(10_000, 22_000);
            if (isFree(port) && isFree(port + 10_000)) { // the other one is the cluster's
                return port;
            }
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException taken) {
            return false;
        }
    }

    private Process launch(List<String> more) throws IOException {
        return new ProcessBuilder(Stream.concat(command.stream(), more.stream()).toList())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                .start();
    }

    /** Waits until it is up and, if it has data, has loaded it. */
    private void awaitAnswer() {
        Awaitility.await()
                .atMost(PATIENCE)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> {
                    if (!process.isAlive()) {
                        throw new IllegalStateException("could not start " + command + ": " + Files.readString(log()));
                    }
                    return answers();
                });
    }

    private Path log() {
        return directory.resolve("log");
    }

    private boolean answers() {
        try {
            return "PONG".equals(call("PING"));
        } catch (UncheckedIOException | IllegalStateException notYet) {
            return false;
        }
    }

    private boolean isLoading() {
        try {
            return "1".equals(info("loading"));
        } catch (UncheckedIOException notYet) {
            return false;
        }
    }

    public int port() {
        return port;
    }

    /** The answer to a command: a String, a Long or a List of them; an error is an {@link IllegalStateException}. */
    Object call(String... command) {
        try (RespConnection connection = new RespConnection(port)) {
            return connection.call(command);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /** The value of a field of {@code INFO}, or an empty string if it has none. */
    String info(String field) {
        String info = (String) call("INFO", "all");
        int start = info.indexOf(field + ":") + field.length() + 1;
        return start == field.length() ? "" : info.substring(start, info.indexOf('\r', start));
    }

    /** How often a command was called so far. */
    long calls(String name) {
        String stats = info("cmdstat_" + name);
        return stats.isEmpty() ? 0 : Long.parseLong(stats.substring("calls=".length(), stats.indexOf(',')));
    }

    /** How many keys there are that never expire. */
    long keysWithoutTtl() {
        return (Long) call("EVAL", """
                local without = 0
                for _, key in ipairs(redis.call('KEYS', '*')) do
                  if redis.call('PTTL', key) == -1 then without = without + 1 end
                end
                return without""", "0");
    }

    /** As {@code kill -9}. */
    public void kill() {
        process.destroyForcibly();
        await(process);
    }

    /** Stops it where it is: connections stay open, new ones are accepted by the kernel, nothing answers. */
    void pause() {
        signal("-STOP");
    }

    void resume() {
        signal("-CONT");
    }

    /** Starts it again after a {@link #kill}, on the same port and with no other data than what {@code SAVE} saved. */
    public void restart() {
        relaunch();
        awaitAnswer();
    }

    /** As {@link #restart}, but takes so long for each key that is loaded, and answers meanwhile that it is loading. */
    void restartLoading(long millisForEachKey) {
        relaunch("--key-load-delay", Long.toString(1000 * millisForEachKey));
        Awaitility.await().atMost(PATIENCE).until(this::isLoading);
    }

    private void relaunch(String... more) {
        try {
            process = launch(List.of(more));
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    @Override
    public void close() {
        kill();
        FileSystemUtils.deleteRecursively(directory.toFile());
    }

    private void signal(String signal) {
        try {
            await(new ProcessBuilder("kill", signal, Long.toString(process.pid())).start());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static void await(Process process) {
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                throw new IllegalStateException("still there: " + process);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    /** Unpacked once. */
    private static final class Executable {
        static final String PATH = path();

        private static String path() {
            ExecutableProvider provider = isEmbedded()
                    ? ExecutableProvider.newJarResourceProvider()
                    : ExecutableProvider.newEnvironmentVariableProvider();
            try {
                return provider.get().getAbsolutePath();
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }
    }
}
