package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.RateLimited;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import redis.embedded.RedisServer;

/** Requests on virtual threads, of which none is to hold on to the thread that carries it. */
@EnabledForJreRange(min = JRE.JAVA_21, disabledReason = "virtual threads came with Java 21")
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "spring.threads.virtual.enabled=true",
            "server.tomcat.max-keep-alive-requests=-1",
            "ratelimit.policies.all.limits=1000000/1s, 100000000/1d",
            "ratelimit.policies.all.key=global",
            "ratelimit.policies.all.paths=/**",
            "ratelimit.policies.clients.limits=1000000/1s",
            "ratelimit.policies.clients.key=header:X-Client",
            "ratelimit.policies.clients.paths=/**",
            "ratelimit.policies.clients.charge-on=2xx",
            "ratelimit.policies.few.limits=1/1d",
            "ratelimit.policies.few.key=global",
            "ratelimit.policies.few.paths=/denied",
            "ratelimit.policies.shared.limits=1000000/1s",
            "ratelimit.policies.shared.paths=/shared",
            "ratelimit.policies.shared.key=ip",
            "ratelimit.policies.calls.limits=1000000/1s",
            "ratelimit.key-secret=that of the test alone",
        })
class VirtualRequestsTest {
    private static final int CLIENTS = 8;
    private static final int REQUESTS = Integer.getInteger("virtual.requests", 10_000);
    private static final boolean IN_REDIS = !"skip".equals(System.getProperty("redis.tests"));
    private static final List<String> PATHS = List.of("/plain", "/plain", "/denied", "/called", "/shared");

    private static @Nullable RedisServer redis;

    @TempDir
    private Path directory;

    @LocalServerPort
    private int port;

    @Autowired
    private Application application;

    @DynamicPropertySource
    static void startRedis(DynamicPropertyRegistry registry) throws IOException {
        if (!IN_REDIS) {
            return;
        }
        int redisPort;
        try (ServerSocket free = new ServerSocket(0)) {
            redisPort = free.getLocalPort();
        }
        redis = RedisServer.newRedisServer()
                .port(redisPort)
                .setting("bind 127.0.0.1")
                .setting("save \"\"")
                .build();
        redis.start();
        registry.add("spring.data.redis.port", () -> redisPort);
        registry.add("ratelimit.policies.shared.backend", () -> "redis");
    }

    @AfterAll
    static void stopRedis() throws IOException {
        if (redis != null) {
            redis.stop();
        }
    }

    @Test
    void neverPinTheirCarrier() throws Exception {
        send(CLIENTS * 50, new ConcurrentHashMap<>()); // loads all classes, which pins
        application.byKindOfThread.clear();

        Map<String, LongAdder> statuses = new ConcurrentHashMap<>();
        List<RecordedEvent> pinned = pinned(() -> send(REQUESTS, statuses));

        assertThat(pinned).isEmpty();
        assertThat(statuses.keySet()).containsExactlyInAnyOrder("200", "429");
        assertThat(statuses)
                .hasEntrySatisfying("429", denied -> assertThat(denied.sum()).isEqualTo(REQUESTS / PATHS.size()));
        assertThat(application.byKindOfThread.keySet()).containsExactly("VirtualThread");
    }

    /** Those that were pinned while {@code action} went on. */
    private List<RecordedEvent> pinned(Callable<?> action) throws Exception {
        Path file = directory.resolve("pinned.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("jdk.VirtualThreadPinned").withoutThreshold().withStackTrace();
            recording.start();
            action.call();
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file);
    }

    @Test
    void wouldBeSeenIfTheyDid() throws Exception {
        List<RecordedEvent> pinned = pinned(() -> {
            Thread thread = (Thread) Thread.class
                    .getMethod("startVirtualThread", Runnable.class)
                    .invoke(null, (Runnable) () -> assertThat(Pinned.PARKED).isTrue());
            thread.join();
            return null;
        });

        assertThat(pinned).isNotEmpty();
        assertThat(pinned.get(0).getStackTrace().getFrames())
                .anyMatch(frame -> frame.getMethod().getType().getName().equals(Pinned.class.getName()));
    }

    /** Whose initializer is called by the JVM itself, from where no virtual thread can leave its carrier. */
    private static final class Pinned {
        static final boolean PARKED = park();

        private static boolean park() {
            LockSupport.parkNanos(1_000_000);
            return true;
        }
    }

    @Test
    void askRedisForTheSharedPolicy() throws Exception {
        Assumptions.assumeTrue(IN_REDIS, "skipped by -Dredis.tests=skip");
        send(CLIENTS * PATHS.size(), new ConcurrentHashMap<>());

        try (Socket socket = new Socket(
                InetAddress.getLoopbackAddress(),
                Objects.requireNonNull(redis).ports().get(0))) {
            socket.getOutputStream().write("DBSIZE\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(line(socket.getInputStream())).isEqualTo(":1");
        }
    }

    /** Sends as many requests from several clients at once, and counts their answers by status. */
    private @Nullable Void send(int count, Map<String, LongAdder> statuses) throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
        try {
            List<? extends Future<?>> all = IntStream.range(0, CLIENTS)
                    .mapToObj(client -> clients.submit(() -> sendAs(client, count / CLIENTS, statuses)))
                    .toList();
            for (Future<?> each : all) {
                each.get();
            }
        } finally {
            clients.shutdownNow();
        }
        return null;
    }

    /** Sends them on one connection. One in a hundred waits for its token. */
    private @Nullable Void sendAs(int client, int count, Map<String, LongAdder> statuses) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            for (int i = 0; i < count; i++) {
                String path = PATHS.get(i % PATHS.size());
                String request = "GET " + (i % 100 == 0 ? "/waits" : path)
                        + " HTTP/1.1\r\nHost: localhost\r\nX-Client: " + client + "\r\n\r\n";
                socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
                statuses.computeIfAbsent(status(in), unused -> new LongAdder()).increment();
            }
        }
        return null;
    }

    private static String status(InputStream in) throws IOException {
        String status = line(in).substring("HTTP/1.1 ".length()).strip();
        int length = 0;
        for (String field = line(in); !field.isEmpty(); field = line(in)) {
            if (field.startsWith("Content-Length: ")) {
                length = Integer.parseInt(field.substring("Content-Length: ".length()));
            }
        }
        in.readNBytes(length);
        return status;
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new IOException("the connection ended at: " + line);
            }
            line.write(b);
        }
        return line.toString(StandardCharsets.US_ASCII).strip();
    }

    static class Calls {
        @RateLimited("calls")
        @RateLimited(limit = "1000000/1s", key = "#caller")
        public String call(String caller) {
            return caller;
        }

        @RateLimited(limit = "1/5ms", maxWait = "1m")
        public String wait(String caller) {
            return caller;
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
        @Bean
        Calls calls() {
            return new Calls();
        }

        @Bean
        Controller controller(Calls calls, Application application) {
            return new Controller(calls, application);
        }

        private final Map<String, LongAdder> byKindOfThread = new ConcurrentHashMap<>();
    }

    @RestController
    static class Controller {
        private final Calls calls;
        private final Application application;

        Controller(Calls calls, Application application) {
            this.calls = calls;
            this.application = application;
        }

        @GetMapping({"/plain", "/denied", "/shared"})
        String plain() {
            application
                    .byKindOfThread
                    .computeIfAbsent(Thread.currentThread().getClass().getSimpleName(), kind -> new LongAdder())
                    .increment();
            return "ok";
        }

        @GetMapping("/called")
        String called() {
            return calls.call(plain());
        }

        @GetMapping("/waits")
        String waits() {
            return calls.wait(plain());
        }
    }
}
