package dev.ratelimit.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.RateLimitDeniedEvent;
import dev.ratelimit.spring.RateLimitExceededException;
import dev.ratelimit.spring.RateLimited;
import io.micrometer.common.KeyValue;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.EventListener;
import org.springframework.http.server.observation.ServerRequestObservationContext;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** What an operator sees of an application that is up. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = OperationsTest.Application.class,
        properties = {
            "ratelimit.policies.api.limits=5/1m",
            "ratelimit.policies.api.key=ip",
            "ratelimit.policies.api.paths=/api/**",
            "ratelimit.policies.export.limits=2/1m",
            "ratelimit.policies.export.key=ip",
            "ratelimit.policies.slow.limits=1/1m",
            "ratelimit.policies.slow.paths=/slow",
            "ratelimit.policies.flood.limits=5/1m",
            "ratelimit.policies.flood.paths=/flood",
        })
class OperationsTest {
    private final HttpClient http = HttpClient.newHttpClient();

    @LocalServerPort
    private int port;

    @Autowired
    private ManualClock clock;

    @Autowired
    private MeterRegistry registry;

    @Autowired
    private Listener listener;

    @Autowired
    private Spans spans;

    @EnableAutoConfiguration
    static class Application {
        @Bean
        ManualClock clock() {
            return new ManualClock(ThreadLocalRandom.current().nextLong());
        }

        @Bean
        Listener listener() {
            return new Listener();
        }

        @Bean
        Spans spans() {
            return new Spans();
        }

        @Bean
        Exports exports() {
            return new Exports();
        }

        @Bean
        Endpoints endpoints(Exports exports, RateLimiter limiter) {
            return new Endpoints(exports, limiter);
        }
    }

    /** Keeps the reporter waiting over each denial of the policy that is called slow. */
    static class Listener {
        private final BlockingQueue<RateLimitDeniedEvent> events = new LinkedBlockingQueue<>();
        private final CountDownLatch goOn = new CountDownLatch(1);

        @EventListener
        void denied(RateLimitDeniedEvent event) throws InterruptedException {
            if (event.policy().equals("slow") || event.policy().equals("flood")) {
                events.add(event);
            }
            if (event.policy().equals("slow")) {
                goOn.await();
            }
        }
    }

    /** What a tracer would be told of requests. */
    static class Spans implements ObservationHandler<ServerRequestObservationContext> {
        private final BlockingQueue<String> ended = new LinkedBlockingQueue<>();

        @Override
        public void onStop(ServerRequestObservationContext context) {
            ended.add(value(context, "ratelimit.policy") + " " + value(context, "ratelimit.outcome"));
        }

        private static String value(Observation.Context context, String key) {
            KeyValue value = context.getLowCardinalityKeyValue(key);
            return value == null ? "missing" : value.getValue();
        }

        @Override
        public boolean supportsContext(Observation.Context context) {
            return context instanceof ServerRequestObservationContext;
        }
    }

    static class Exports {
        @RateLimited("export")
        public String export() {
            return "exported";
        }

        @RateLimited(limit = "1/1m", key = "'all'")
        public String inPlace() {
            return "in place";
        }
    }

    @RestController
    static class Endpoints {
        private final Exports exports;
        private final RateLimiter limiter;

        Endpoints(Exports exports, RateLimiter limiter) {
            this.exports = exports;
            this.limiter = limiter;
        }

        @GetMapping({"/free", "/api/it", "/slow", "/flood"})
        String it() {
            return "it";
        }

        @GetMapping("/export")
        String export() {
            return exports.export();
        }

        @GetMapping("/api/export")
        String both() {
            return exports.export();
        }

        @GetMapping("/api/later")
        Callable<String> later() {
            return exports::export;
        }

        @GetMapping("/in-place")
        String inPlace() {
            return exports.inPlace();
        }

        @GetMapping("/tenant")
        String tenant() {
            Policy made = Policy.of("tenant-" + UUID.randomUUID(), Limit.parse("1/1m"));
            throw new RateLimitExceededException(List.of(new PolicyDecision(made, limiter.tryConsume(made, "k", 2))));
        }

        @GetMapping("/absent")
        String absent() {
            Policy api = Policy.of("api", Limit.parse("5/1m"));
            Decision denied = new Decision(false, 0, 1, 1, api.limits().get(0), true);
            throw new RateLimitExceededException(List.of(new PolicyDecision(api, denied)));
        }
    }

    @BeforeEach
    void fillAllBuckets() {
        clock.advance(Duration.ofDays(1));
        spans.ended.clear();
    }

    private int get(String path) throws Exception {
        return http.send(
                        HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                                .build(),
                        BodyHandlers.discarding())
                .statusCode();
    }

    private String spanOf(String path) throws Exception {
        get(path);
        return String.valueOf(spans.ended.poll(1, TimeUnit.MINUTES));
    }

    @Test
    void tellsListenersAndDelaysNobodyForThem() throws Exception {
        get("/slow");
        assertThat(get("/slow")).isEqualTo(429);
        assertThat(listener.events.poll(1, TimeUnit.MINUTES)).isEqualTo(new RateLimitDeniedEvent("slow", 1));

        for (int i = 0; i < 8; i++) { // while the listener is at it
            assertThat(get("/flood")).isEqualTo(i < 5 ? 200 : 429);
        }
        assertThat(listener.events).isEmpty();

        listener.goOn.countDown();
        assertThat(listener.events.poll(1, TimeUnit.MINUTES)).isEqualTo(new RateLimitDeniedEvent("flood", 3));
    }

    @Test
    void metersWhatRequestsCost() throws Exception {
        double allowed = counter("ratelimit.decisions", "outcome", "allowed");
        double charged = counter("ratelimit.tokens", "kind", "charged");
        for (int i = 0; i < 6; i++) {
            get("/api/it");
        }

        assertThat(counter("ratelimit.decisions", "outcome", "allowed")).isEqualTo(allowed + 5);
        assertThat(counter("ratelimit.tokens", "kind", "charged")).isEqualTo(charged + 5);
        assertThat(registry.get("ratelimit.keys").tag("policy", "api").gauge().value())
                .isEqualTo(1);
    }

    private double counter(String name, String tag, String value) {
        return registry.get(name)
                .tags("policy", "api", tag, value)
                .functionCounter()
                .count();
    }

    @Test
    void tracesWhichPolicyDecidedAndHow() throws Exception {
        assertThat(spanOf("/free")).isEqualTo("none none");
        assertThat(spanOf("/export")).isEqualTo("export allowed");
        assertThat(spanOf("/api/export")).isEqualTo("export allowed"); // which has fewer tokens left
        assertThat(spanOf("/api/later")).isEqualTo("export denied");
        assertThat(spanOf("/export")).isEqualTo("export denied");
        assertThat(spanOf("/api/it")).isEqualTo("api allowed");
        for (int i = 0; i < 5; i++) {
            spanOf("/api/it");
        }
        assertThat(spanOf("/api/it")).isEqualTo("api denied");
    }

    @Test
    void tracesADenialForWantOfAnAnswerAsSuch() throws Exception {
        assertThat(spanOf("/absent")).isEqualTo("api degraded");
    }

    @Test
    void tracesNoNameThatIsNotOfTheConfiguration() throws Exception {
        assertThat(spanOf("/in-place")).isEqualTo("other allowed");
        assertThat(spanOf("/tenant")).isEqualTo("other denied");
    }

    @Test
    void timesAllRequestsUnderTheSameTags() throws Exception {
        for (String path : List.of("/free", "/export", "/api/it", "/api/later", "/nowhere", "/tenant")) {
            spanOf(path);
        }

        assertThat(registry.get("http.server.requests").timers())
                .hasSizeGreaterThan(4)
                .extracting(timer ->
                        timer.getId().getTags().stream().map(Tag::getKey).toList())
                .allSatisfy(keys -> assertThat(keys).contains("ratelimit.policy", "ratelimit.outcome"));
    }
}
