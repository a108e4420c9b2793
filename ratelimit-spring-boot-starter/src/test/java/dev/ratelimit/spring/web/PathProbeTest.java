package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.bind.annotation.RestController;

/**
 * Whatever a client writes in its request line: if a handler runs, a token was spent. There are two by the path: a
 * controller, and behind it the handler of static files, which is not as strict about spelling.
 */
@ExtendWith(Silence.class)
class PathProbeTest {
    private static final List<String> METHODS = List.of("GET", "HEAD", "OPTIONS", "POST", "TRACE", "FOO", "get");

    /** Spellings of {@code /api/login}, some of which are others; @ stands for the context path and the servlet's. */
    private static final List<String> SPELLINGS = List.of(
            "@/api/login",
            "@/api/login/",
            "@/api/login//",
            "@//api/login",
            "@/api//login",
            "/@/api/login",
            "@@/api/login",
            "api/login",
            "*",
            // parameters
            "@/api/login;x=1",
            "@/api/login;",
            "@/api;x=1/login",
            "@/api;a=b;c=d/login;e",
            "@/;x=1/api/login",
            "@;x=1/api/login",
            "@/api/login;x=%2F",
            "@/api/login;jsessionid=1?x",
            "/;x@/api/login",
            // encodings
            "@/%61pi/login",
            "@/api/%6Cogin",
            "@/api/%6cogin",
            "@/%61%70%69/%6c%6f%67%69%6e",
            "@/api/login%3Bx=1",
            "@/api%3bx/login",
            "@%2Fapi/login",
            "@/api%2Flogin",
            "@/api%2flogin",
            "@/%2561pi/login",
            "@/api%252Flogin",
            "@/api/%u006cogin",
            "@/api/%zzlogin",
            "@/api/login%",
            // dots and backslashes
            "@/./api/login",
            "@/api/./login",
            "@/api/../api/login",
            "@/x/../api/login",
            "/x/..@/api/login",
            "/.@/api/login",
            "@/../api/login",
            "@/%2e/api/login",
            "@/api/%2E%2e/api/login",
            "@/api/login/.",
            "@/api/login/..",
            "@/api/login/../login",
            "@/api/..;/api/login",
            "@/api/login/..;x=1/login",
            "@\\api\\login",
            "@/api\\login",
            "@/api%5Clogin",
            // case and suffixes
            "@/API/LOGIN",
            "@/Api/login",
            "@/api/log%C4%B1n",
            "@/api/login.json",
            "@/api/login.",
            "@/api/login;.json",
            "@/api/login.%00.json",
            // the end of it
            "@/api/login?x=1",
            "@/api/login?",
            "@/api/login%3F",
            "@/api/login#top",
            "@/api/login%23",
            "@/api/login%20",
            "@/api/login%09",
            "@/api/login%0d%0a",
            "@/api/login+",
            "@/api/login%00",
            "@/api/login\0",
            "@/api%00/login",
            // overlong, wide and other UTF-8
            "@/api%c0%aflogin",
            "@/%c1%a1pi/login",
            "@/%EF%BD%81pi/login",
            "@/api/login%EF%BB%BF",
            "@/api/login%ff",
            "@/api/l\u00f6gin",
            // absolute form
            "http://localhost@/api/login",
            "HTTP://LOCALHOST@/api/login",
            "http://other.example:80@/api;x/%6Cogin",
            "//localhost@/api/login",
            "http:/@/api/login");

    static Stream<Arguments> servers() {
        return Stream.of(Container.values())
                .flatMap(container -> Stream.of("", "/ctx")
                        .flatMap(context ->
                                Stream.of("", "/mvc").map(servlet -> Arguments.of(container, context, servlet))));
    }

    @ParameterizedTest
    @MethodSource("servers")
    void isChargedByWhateverReachesTheHandler(Container container, String contextPath, String servletPath)
            throws IOException {
        List<String> reached = new ArrayList<>();
        try (ConfigurableApplicationContext context = container.start(
                Application.class,
                "server.servlet.context-path=" + contextPath,
                "spring.mvc.servlet.path=" + (servletPath.isEmpty() ? "/" : servletPath),
                "spring.mvc.dispatch-trace-request=true",
                "logging.level.root=off",
                "ratelimit.policies.all.limits=1000000/1d",
                "ratelimit.policies.all.paths=/api/login",
                "ratelimit.policies.all.key=global",
                "ratelimit.policies.reads.limits=1000000/1d",
                "ratelimit.policies.reads.paths=/api/login",
                "ratelimit.policies.reads.methods=GET",
                "ratelimit.policies.reads.key=global")) {
            for (String spelling : SPELLINGS) {
                for (String method : METHODS) {
                    String request = method + ' ' + spelling.replace("@", contextPath + servletPath) + " HTTP/1.1";
                    if (reaches(context, request)) {
                        reached.add(request);
                    }
                }
            }
        }
        assertThat(reached).as("what reached the handler at all").hasSizeGreaterThan(100);
    }

    /** Preflights cost nothing, so nothing may run for what looks like one. */
    @ParameterizedTest
    @EnumSource
    void isNotReachedByAPreflight(Container container) throws IOException {
        try (ConfigurableApplicationContext context = container.start(Application.class, "logging.level.root=off")) {
            String response = Wire.send(
                    Container.port(context),
                    "OPTIONS /api/login HTTP/1.1",
                    "Origin: https://a.example",
                    "Access-Control-Request-Method: GET");

            assertThat(response).startsWith("HTTP/1.1 200");
            assertThat(context.getBean(Application.class).runs).hasValue(0);
        }
    }

    private static boolean reaches(ConfigurableApplicationContext context, String request) throws IOException {
        Application handlers = context.getBean(Application.class);
        int runsBefore = handlers.runs.get();
        int readsBefore = handlers.reads.get();
        long spentBefore = Tokens.spent(context, "all");
        long spentByReadsBefore = Tokens.spent(context, "reads");
        String response = Wire.send(Container.port(context), request);

        boolean reached = handlers.runs.get() > runsBefore || response.endsWith("of a file");
        if (reached) {
            assertThat(Tokens.spent(context, "all") - spentBefore).as(request).isEqualTo(1);
        }
        if (handlers.reads.get() > readsBefore) {
            assertThat(Tokens.spent(context, "reads") - spentByReadsBefore)
                    .as(request)
                    .isEqualTo(1);
        }
        return reached;
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @RestController
    static class Application {
        private final AtomicInteger runs = new AtomicInteger();
        private final AtomicInteger reads = new AtomicInteger();

        @Bean
        static ManualClock clock() {
            return new ManualClock(ThreadLocalRandom.current().nextLong());
        }

        @RequestMapping("/api/login")
        String any() {
            runs.incrementAndGet();
            return "ran";
        }

        @GetMapping("/api/login")
        String read() {
            reads.incrementAndGet();
            return any();
        }

        /** Spring answers these two by itself unless it is asked not to. */
        @RequestMapping(
                path = "/api/login",
                method = {RequestMethod.OPTIONS, RequestMethod.TRACE},
                produces = "message/http")
        String optionsAndTrace() {
            return any();
        }
    }
}
