package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;

/** One charge for each request that comes from outside, by whatever ways the container sends it around inside. */
@ExtendWith(Silence.class)
class DispatchTest {

    @ParameterizedTest
    @EnumSource
    void chargesOnceForEachRequest(Container container) throws IOException {
        List<String> expected = Stream.of(
                        "plain 200",
                        "callable 200",
                        "deferred 200",
                        "timed-out 503",
                        "stream 200",
                        "sse 200",
                        "throwing 500",
                        "send-error 418",
                        "forward 200",
                        "include 200",
                        "missing 404",
                        "error 500")
                .map(line -> line + ": 1 token")
                .toList();
        List<String> charged = new ArrayList<>();
        try (ConfigurableApplicationContext context = container.start(
                Application.class,
                "logging.level.root=off",
                "ratelimit.policies.all.limits=1000/1d",
                "ratelimit.policies.all.paths=/**",
                "ratelimit.policies.all.key=global")) {
            for (String line : expected) {
                String path = line.substring(0, line.indexOf(' '));
                long before = Tokens.spent(context, "all");
                String response = Wire.send(Container.port(context), "GET /" + path + " HTTP/1.1");
                long spent = Tokens.spent(context, "all") - before;
                charged.add(path + ' ' + response.split(" ", 3)[1] + ": " + spent + " token");
            }
        }
        assertThat(charged).isEqualTo(expected);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @RestController
    static class Application {

        @Bean
        static ManualClock clock() {
            return new ManualClock(ThreadLocalRandom.current().nextLong());
        }

        @GetMapping("/plain")
        String plain() {
            return "plain";
        }

        @GetMapping("/callable")
        Callable<String> callable() {
            return () -> "called";
        }

        @GetMapping("/deferred")
        DeferredResult<String> deferred() {
            DeferredResult<String> result = new DeferredResult<>();
            result.setResult("deferred");
            return result;
        }

        @GetMapping("/timed-out")
        DeferredResult<String> timedOut() {
            return new DeferredResult<>(/* timeoutValue= */ 1L);
        }

        @GetMapping("/stream")
        StreamingResponseBody stream() {
            return out -> out.write("streamed".getBytes(StandardCharsets.US_ASCII));
        }

        @GetMapping("/sse")
        SseEmitter events() throws IOException {
            SseEmitter events = new SseEmitter();
            events.send("one");
            events.send("two");
            events.complete();
            return events;
        }

        @GetMapping("/throwing")
        String throwing() {
            throw new IllegalStateException("thrown");
        }

        @GetMapping("/send-error")
        void sendError(HttpServletResponse response) throws IOException {
            response.sendError(418);
        }

        @GetMapping("/forward")
        void forward(HttpServletRequest request, HttpServletResponse response) throws Exception {
            request.getRequestDispatcher("/plain").forward(request, response);
        }

        @GetMapping("/include")
        void include(HttpServletRequest request, HttpServletResponse response) throws Exception {
            request.getRequestDispatcher("/plain").include(request, response);
        }
    }
}
