package dev.ratelimit.sample;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A tab of a headless Chromium, which is told by the DevTools protocol what a visitor would do. It needs nothing but the
 * JDK and the browser: one on the PATH, or that of {@code -Dchrome.path}.
 */
final class Browser implements AutoCloseable {
    private static final List<String> NAMES =
            List.of("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome");
    private static final String LISTENING = "DevTools listening on ";
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final JsonMapper JSON = new JsonMapper();
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final Map<Integer, CompletableFuture<JsonNode>> calls = new ConcurrentHashMap<>();
    private final AtomicInteger ids = new AtomicInteger();
    private final List<String> errors = new CopyOnWriteArrayList<>();
    private final Path profile;
    private final Process process;
    private final WebSocket socket;

    private Browser(String executable) throws Exception {
        profile = Files.createTempDirectory("browser");
        process = new ProcessBuilder(command(executable, profile))
                .redirectErrorStream(true)
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        socket = HTTP.newWebSocketBuilder().buildAsync(newTab(), new Listener()).get(60, TimeUnit.SECONDS);
        for (String domain : List.of("Page", "Runtime", "Log")) {
            call(domain + ".enable", Map.of());
        }
    }

    /** Starts it, unless there is no browser on this machine. */
    static Optional<Browser> start() throws Exception {
        Optional<String> found = find();
        return found.isPresent() ? Optional.of(new Browser(found.get())) : Optional.empty();
    }

    private static Optional<String> find() {
        String path = System.getProperty("chrome.path");
        if (path != null) {
            return Optional.of(path);
        }
        return NAMES.stream()
                .flatMap(name -> Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                        .map(directory -> Path.of(directory, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst();
    }

    private static List<String> command(String executable, Path profile) {
        List<String> command = new ArrayList<>(List.of(
                executable,
                "--headless",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "--hide-scrollbars", // as on a phone
                "--no-first-run",
                "--disable-gpu"));
        if (System.getProperty("user.name").equals("root")) {
            command.add("--no-sandbox"); // which Chromium cannot build for root
        }
        return command;
    }

    /** Returns where the tab listens. The browser says on its standard error where it does itself. */
    private URI newTab() throws IOException, InterruptedException {
        BufferedReader output = process.inputReader();
        String line = output.readLine();
        while (line != null && !line.startsWith(LISTENING)) {
            line = output.readLine();
        }
        if (line == null) {
            throw new IOException("the browser ended with " + process.waitFor());
        }
        Thread drain = new Thread(() -> output.lines().forEach(ignored -> {}));
        drain.setDaemon(true);
        drain.start();
        URI browser = URI.create(line.substring(LISTENING.length()));
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://" + browser.getAuthority() + "/json/new"))
                .PUT(HttpRequest.BodyPublishers.noBody())
                .build();
        return URI.create(
                JSON.readTree(HTTP.send(request, BodyHandlers.ofString()).body())
                        .get("webSocketDebuggerUrl")
                        .asString());
    }

    /** Takes the answers to calls, and what pages complain of. */
    private final class Listener implements WebSocket.Listener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            text.append(part);
            if (last) {
                JsonNode message = JSON.readTree(text.toString());
                text.setLength(0);
                if (message.has("id")) {
                    Objects.requireNonNull(calls.remove(message.get("id").asInt()))
                            .complete(message);
                } else {
                    note(message.get("method").asString(), message.get("params"));
                }
            }
            from.request(1);
            return null;
        }
    }

    /** That a request was answered with an error is noted by the browser, and for a 429 is what these tests want. */
    private void note(String event, JsonNode details) {
        boolean wrong = switch (event) {
            case "Runtime.exceptionThrown" -> true;
            case "Runtime.consoleAPICalled" -> !details.get("type").asString().equals("log");
            case "Log.entryAdded" -> !details.at("/entry/text").asString().contains("status of 429");
            default -> false;
        };
        if (wrong) {
            errors.add(details.toString());
        }
    }

    private JsonNode call(String method, Map<String, ?> parameters) {
        int id = ids.incrementAndGet();
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        calls.put(id, answer);
        socket.sendText(JSON.writeValueAsString(Map.of("id", id, "method", method, "params", parameters)), true)
                .join();
        JsonNode message =
                answer.orTimeout(2 * PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
        if (message.has("error")) {
            throw new IllegalStateException(method + ": " + message.get("error"));
        }
        return message.get("result");
    }

    /** Opens a page in a window of that width, as for someone who prefers that colour scheme and little motion. */
    void open(String url, int width, String scheme) {
        window(width, scheme);
        call("Page.navigate", Map.of("url", url));
        await("location.href === '" + url + "' && document.readyState === 'complete'");
    }

    void window(int width, String scheme) {
        call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", false));
        call(
                "Emulation.setEmulatedMedia",
                Map.of(
                        "features",
                        List.of(
                                Map.of("name", "prefers-color-scheme", "value", scheme),
                                Map.of("name", "prefers-reduced-motion", "value", "reduce"))));
    }

    /** Returns what an expression of JavaScript, or the promise it is, comes to. */
    JsonNode eval(String expression) {
        JsonNode result =
                call("Runtime.evaluate", Map.of("expression", expression, "awaitPromise", true, "returnByValue", true));
        if (result.has("exceptionDetails")) {
            throw new IllegalStateException(expression + ": " + result.get("exceptionDetails"));
        }
        return result.get("result").path("value");
    }

    String text(String selector) {
        return eval("document.querySelector('" + selector + "').innerText").asString();
    }

    /** Waits until a condition holds. */
    void await(String condition) {
        String expression = "new Promise(done => { const end = performance.now() + " + PATIENCE.toMillis() + ";"
                + "(function look() { const holds = !!(" + condition + ");"
                + "holds || performance.now() > end ? done(holds) : setTimeout(look, 20) })() })";
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!evalOverNavigation(expression)) {
            if (System.nanoTime() - end > 0) {
                throw new AssertionError("never came true: " + condition + "\n" + text("body") + "\n" + errors);
            }
        }
    }

    /** A page that goes takes its promises with it. */
    private boolean evalOverNavigation(String expression) {
        try {
            return eval(expression).asBoolean();
        } catch (IllegalStateException e) {
            return false;
        }
    }

    /** Clicks with the mouse into the middle of an element. */
    void click(String selector) {
        JsonNode middle = eval("(() => { const element = document.querySelector('" + selector + "');"
                + "element.scrollIntoView({block: 'center'}); const box = element.getBoundingClientRect();"
                + "return [box.x + box.width / 2, box.y + box.height / 2] })()");
        for (String type : List.of("mousePressed", "mouseReleased")) {
            call(
                    "Input.dispatchMouseEvent",
                    Map.of(
                            "type",
                            type,
                            "x",
                            middle.get(0).asDouble(),
                            "y",
                            middle.get(1).asDouble(),
                            "button",
                            "left",
                            "clickCount",
                            1));
        }
    }

    /** Presses a key of that name and code, which types {@code text} if that is not empty. */
    void press(String key, int code, String text) {
        call(
                "Input.dispatchKeyEvent",
                Map.of("type", "keyDown", "key", key, "code", key, "windowsVirtualKeyCode", code, "text", text));
        call("Input.dispatchKeyEvent", Map.of("type", "keyUp", "key", key, "code", key, "windowsVirtualKeyCode", code));
    }

    /** Types into what has the focus, in place of what is selected there. */
    void type(String text) {
        call("Input.insertText", Map.of("text", text));
    }

    JsonNode accessibilityTree() {
        return call("Accessibility.getFullAXTree", Map.of()).get("nodes");
    }

    void screenshot(Path file) throws IOException {
        String png = call("Page.captureScreenshot", Map.of("captureBeyondViewport", true))
                .get("data")
                .asString();
        Files.createDirectories(file.getParent());
        Files.write(file, Base64.getDecoder().decode(png));
    }

    /** Returns what was thrown and complained of in the console, and forgets it. */
    List<String> takeErrors() {
        List<String> taken = List.copyOf(errors);
        errors.removeAll(taken);
        return taken;
    }

    @Override
    public void close() throws IOException {
        call("Browser.close", Map.of()); // so that it ends its own processes, which write into the profile
        process.onExit().completeOnTimeout(process, 10, TimeUnit.SECONDS).join().destroyForcibly();
        process.onExit().join();
        socket.abort();
        try (Stream<Path> files = Files.walk(profile)) {
            files.sorted((a, b) -> b.compareTo(a)).map(Path::toFile).forEach(File::delete);
        }
    }
}
