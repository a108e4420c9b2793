package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ratelimit.Decision;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.TokenCost;
import jakarta.servlet.Filter;
import jakarta.servlet.ServletRequestEvent;
import jakarta.servlet.ServletRequestListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.threads.ThreadPoolExecutor;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.boot.tomcat.TomcatWebServer;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.ServletListenerRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.servlet.ModelAndView;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;

/** What a request has cost when all is over, by every way it may go. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "ratelimit.policies.all.limits=100/1d",
            "ratelimit.policies.all.key=global",
            "ratelimit.policies.all.paths=/**",
            "ratelimit.policies.all.exclude=/costly/**, /actuator/**",
            "ratelimit.policies.failures.limits=100/1d",
            "ratelimit.policies.failures.key=global",
            "ratelimit.policies.failures.paths=/**",
            "ratelimit.policies.failures.charge-on=4xx, 500, 503",
            "ratelimit.policies.successes.limits=100/1d",
            "ratelimit.policies.successes.key=app", // needs the user, for all that anybody knows
            "ratelimit.policies.successes.paths=/**",
            "ratelimit.policies.successes.charge-on=2xx",
            "ratelimit.policies.costly.limits=100/1d",
            "ratelimit.policies.costly.key=global",
            "ratelimit.policies.costly.paths=/costly/**",
            "ratelimit.policies.costly.tokens=pages",
        })
class RateLimitOutcomeTest {
    private static final long SPENT_BEFORE = 10; // so that nothing that is given back twice is lost in a full bucket

    private final HttpClient client = HttpClient.newHttpClient();

    @LocalServerPort
    private int port;

    @Autowired
    private ManualClock clock;

    @Autowired
    private RateLimiter limiter;

    @Autowired
    private ConfiguredPolicies policies;

    @Autowired
    private Application application;

    @Autowired
    private WebServerApplicationContext server;

    @BeforeEach
    void spendALittleOfEachBucket() {
        clock.advance(Duration.ofDays(100));
        application.ended.drainPermits();
        for (String name : new String[] {"all", "failures", "successes", "costly"}) {
            limiter.tryConsume(policies.get(name), key(name), SPENT_BEFORE);
        }
    }

    private static String key(String policy) {
        return policy.equals("successes") ? Keys.of("resolver", "app", "app") : Keys.GLOBAL;
    }

    private long spent(String policy) {
        Policy asked = policies.get(policy);
        Decision decision = limiter.peek(asked, key(policy), 1);
        return asked.limits().get(0).capacity() - 1 - decision.remaining() - SPENT_BEFORE;
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = client.send(
                HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                        .build(),
                BodyHandlers.ofString());
        awaitEnd();
        return response;
    }

    private void awaitEnd() throws InterruptedException {
        assertThat(application.ended.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "/plain, 200",
        "/status/404, 404",
        "/status/302, 302",
        "/send-error, 418",
        "/throws, 500",
        "/missing, 404",
        "/error, 500",
        "/callable, 200",
        "/callable-throws, 500",
        "/deferred, 200",
        "/deferred-fails, 500",
        "/deferred-times-out, 503",
        "/stream, 200",
        "/events, 200",
        "/forward, 200",
        "/forward-to-error, 418",
        "/callable-forward, 200",
        "/include, 200",
        "/veiled, 403",
        "/veiled-throws, 403"
    })
    void chargesOnceAndByTheStatusThatTheClientSees(String path, int status) throws Exception {
        assertThat(get(path).statusCode()).isEqualTo(status);

        assertThat(spent("all")).isEqualTo(1);
        assertThat(spent("failures")).isEqualTo(status >= 400 ? 1 : 0);
        assertThat(spent("successes")).isEqualTo(status < 300 ? 1 : 0);
    }

    /**
     * The client stays until the container's thread has left an asynchronous request. Tomcat 11.0.27 forgets one whose
     * connection breaks before that: no listener hears its end, and a graceful shutdown waits for it in vain.
     */
    @ParameterizedTest
    @CsvSource({"/endless, 1", "/endless-stream, 0"})
    void decidesByTheStatusThatAClientWouldHaveSeenThatHangsUp(String path, int busyThreads) throws Exception {
        try (Socket socket = new Socket("localhost", port)) {
            String request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            assertThat(socket.getInputStream().read()).isEqualTo('H');
            Awaitility.await().until(() -> containerThreads().getActiveCount() == busyThreads);
        }
        awaitEnd();

        assertThat(spent("all")).isEqualTo(1);
        assertThat(spent("failures")).isZero();
        assertThat(spent("successes")).isEqualTo(1);
    }

    private ThreadPoolExecutor containerThreads() {
        Tomcat tomcat = ((TomcatWebServer) Objects.requireNonNull(server.getWebServer())).getTomcat();
        return (ThreadPoolExecutor) tomcat.getConnector().getProtocolHandler().getExecutor();
    }

    @Test
    void takesTheTokensBeforeItKnowsTheOutcome() throws Exception {
        assertThat(get("/plain").headers().allValues("RateLimit").toString()).contains("\"failures\";r=89");
        for (int i = 0; i < 90; i++) {
            limiter.tryConsume(policies.get("failures"), Keys.GLOBAL, 1);
        }

        assertThat(get("/plain").statusCode()).isEqualTo(429);
    }

    @ParameterizedTest
    @CsvSource({"7, 7", "0, 0", "1, 1"})
    void settlesWhatOnePolicyCharged(long actual, long spent) throws Exception {
        get("/plain");
        settler().settle("all", actual);
        settler().settle("costly", 50);

        assertThat(spent("all")).isEqualTo(spent);
        assertThat(spent("successes")).isEqualTo(1);
        assertThat(spent("costly")).as("which did not charge it").isZero();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> settler().settle("none", 50))
                .withMessageStartingWith("no policy is named \"none\"; there are: ");
    }

    @Test
    void settlesAllPoliciesOfBothPhases() throws Exception {
        get("/plain");
        settler().settle(4);

        assertThat(spent("all")).isEqualTo(4);
        assertThat(spent("failures")).isEqualTo(4);
        assertThat(spent("successes")).isEqualTo(4);
    }

    @Test
    void correctsAnEarlierSettlementByALaterOne() throws Exception {
        get("/plain");
        for (long actual : new long[] {9, 2, 2, 30, 0, 5}) {
            settler().settle("all", actual);
            assertThat(spent("all")).isEqualTo(actual);
        }
    }

    @Test
    void settlesForManyThreadsWithoutLosingAToken() throws Exception {
        get("/plain");
        RequestCharges charges = settler();
        CompletableFuture<?>[] settlements = new CompletableFuture<?>[8];
        for (int i = 0; i < settlements.length; i++) {
            int thread = i;
            settlements[i] = CompletableFuture.runAsync(() -> {
                for (int actual = 0; actual < 1_000; actual++) {
                    charges.settle("all", (actual + thread) % 5);
                }
            });
        }
        CompletableFuture.allOf(settlements).get(30, TimeUnit.SECONDS);
        charges.settle("all", 3);

        assertThat(spent("all")).isEqualTo(3);
    }

    @Test
    void leavesADebtWhereMoreWasUsedThanThereWas() throws Exception {
        get("/plain");
        settler().settle("all", 290);

        HttpResponse<String> denied = get("/plain");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(denied.headers().firstValue("Retry-After")).hasValue("" + 201 * 86_400 / 100);
        settler().settle("all", 0);
        assertThat(get("/plain").statusCode()).isEqualTo(200);
    }

    @Test
    void givesBackAsMuchAsWasSettledWhereTheStatusDoesNotAskForIt() throws Exception {
        get("/settles-and-fails");

        assertThat(spent("all")).isEqualTo(20);
        assertThat(spent("failures")).isEqualTo(20);
        assertThat(spent("successes")).isZero();
    }

    @Test
    void refusesASettlementBelowZero() {
        RequestCharges charges = settler();

        assertThatIllegalArgumentException()
                .isThrownBy(() -> charges.settle(-1))
                .withMessage("actualTokens must not be negative: -1");
        assertThatIllegalArgumentException().isThrownBy(() -> charges.settle("all", -1));
    }

    private RequestCharges settler() {
        return application.charges.get();
    }

    @ParameterizedTest
    @CsvSource({"3, 3", "0, 0", "-3, 1", "100, 0", "broken, 1", "89, 89"})
    void costsWhatABeanSays(String pages, long spent) throws Exception {
        HttpResponse<String> response = get("/costly/" + pages);

        assertThat(response.statusCode()).isEqualTo(pages.equals("100") ? 429 : 200);
        assertThat(spent("costly")).isEqualTo(spent);
        assertThat(response.headers().allValues("RateLimit").toString().contains("costly"))
                .isEqualTo(!pages.equals("0"));
    }

    @Test
    void doesNotAskAFullClientWhereARequestIsFree() throws Exception {
        limiter.tryConsume(policies.get("costly"), Keys.GLOBAL, 90);

        assertThat(get("/costly/1").statusCode()).isEqualTo(429);
        assertThat(get("/costly/0").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({
        "/costly/5, 0",
        "/%63ostly/5, 0",
        "/costly;x=1/5, 0",
        "/actuator/health, 0",
        "/costlier, 1",
        "/x/costly/5, 1"
    })
    void leavesOutWhatIsExcluded(String path, long spent) throws Exception {
        get(path);

        assertThat(spent("all")).isEqualTo(spent);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @RestController
    static class Application {
        private final Semaphore ended = new Semaphore(0);
        private final AtomicReference<RequestCharges> charges = new AtomicReference<>();

        @Bean
        ManualClock clock() {
            return new ManualClock(ThreadLocalRandom.current().nextLong());
        }

        @Bean
        KeyResolver app() {
            return request -> "app";
        }

        @Bean
        TokenCost pages() {
            return request -> Long.parseLong(request.getRequestURI().substring("/costly/".length()));
        }

        /** Tomcat tells the first of the listeners last that a request is over. */
        @Bean
        ServletListenerRegistrationBean<ServletRequestListener> end() {
            ServletListenerRegistrationBean<ServletRequestListener> end =
                    new ServletListenerRegistrationBean<>(new ServletRequestListener() {
                        @Override
                        public void requestDestroyed(ServletRequestEvent event) {
                            ended.release();
                        }
                    });
            end.setOrder(Ordered.HIGHEST_PRECEDENCE);
            return end;
        }

        /** Changes the status around everything else. */
        @Bean
        FilterRegistrationBean<Filter> veil() {
            FilterRegistrationBean<Filter> veil = new FilterRegistrationBean<>((request, response, chain) -> {
                boolean veiled = ((HttpServletRequest) request).getRequestURI().startsWith("/veiled");
                try {
                    chain.doFilter(request, response);
                } catch (Exception e) {
                    if (!veiled) {
                        throw e;
                    }
                }
                if (veiled) {
                    ((HttpServletResponse) response).setStatus(403);
                }
            });
            veil.setOrder(Ordered.HIGHEST_PRECEDENCE);
            return veil;
        }

        @GetMapping({"/plain", "/costly/{pages}", "/costlier", "/x/costly/5"})
        String plain(HttpServletRequest request) {
            charges.set(RequestCharges.of(request));
            return "ok";
        }

        @GetMapping("/veiled")
        void veiled() {}

        @GetMapping("/status/{status}")
        ResponseEntity<String> status(@PathVariable int status) {
            return ResponseEntity.status(status).build();
        }

        @GetMapping("/send-error")
        void sendError(HttpServletResponse response) throws IOException {
            response.sendError(418);
        }

        @GetMapping({"/throws", "/veiled-throws"})
        String fail() {
            throw new IllegalStateException("as it should in this test");
        }

        @GetMapping("/settles-and-fails")
        String settleAndFail(HttpServletRequest request) {
            RequestCharges.of(request).settle(20);
            return fail();
        }

        @GetMapping("/callable")
        Callable<String> callable() {
            return () -> "ok";
        }

        @GetMapping("/callable-throws")
        Callable<String> callableThrows() {
            return this::fail;
        }

        @GetMapping("/callable-forward")
        Callable<ModelAndView> callableForward() {
            return () -> new ModelAndView("forward:/plain");
        }

        @GetMapping("/deferred")
        DeferredResult<String> deferred() {
            DeferredResult<String> result = new DeferredResult<>();
            ForkJoinPool.commonPool().execute(() -> result.setResult("ok"));
            return result;
        }

        @GetMapping("/deferred-fails")
        DeferredResult<String> deferredFails() {
            DeferredResult<String> result = new DeferredResult<>();
            ForkJoinPool.commonPool().execute(() -> result.setErrorResult(new IllegalStateException("as it should")));
            return result;
        }

        @GetMapping("/deferred-times-out")
        DeferredResult<String> deferredTimesOut() {
            return new DeferredResult<>(1L);
        }

        @GetMapping("/stream")
        StreamingResponseBody stream() {
            return out -> out.write('x');
        }

        @GetMapping("/endless")
        void endless(OutputStream out) throws IOException {
            while (true) {
                out.write(new byte[65_536]);
            }
        }

        @GetMapping("/events")
        SseEmitter events() {
            SseEmitter emitter = new SseEmitter();
            ForkJoinPool.commonPool().execute(() -> {
                try {
                    emitter.send("one");
                    emitter.send("two");
                    emitter.complete();
                } catch (IOException e) {
                    emitter.completeWithError(e);
                }
            });
            return emitter;
        }

        @GetMapping("/endless-stream")
        StreamingResponseBody endlessStream() {
            return this::endless;
        }

        @GetMapping("/forward")
        void forward(HttpServletRequest request, HttpServletResponse response) throws Exception {
            request.getRequestDispatcher("/plain").forward(request, response);
        }

        @GetMapping("/forward-to-error")
        void forwardToError(HttpServletRequest request, HttpServletResponse response) throws Exception {
            request.getRequestDispatcher("/send-error").forward(request, response);
        }

        @GetMapping("/include")
        void include(HttpServletRequest request, HttpServletResponse response) throws Exception {
            request.getRequestDispatcher("/plain").include(request, response);
        }
    }
}
