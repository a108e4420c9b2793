package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.NanoClock;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.RateLimitCharges;
import dev.ratelimit.spring.RateLimited;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.EnableAsync;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** However deep in a request a method is denied, and however the denial comes up from there, the client gets the one 429. */
@SpringBootTest(
        webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
        properties = {
            "ratelimit.policies.deep.limits=2/1m",
            "ratelimit.policies.deep.key=header:X-Client",
            "ratelimit.policies.llm.limits=100/100s",
            "ratelimit.policies.llm.tokens=40",
            "ratelimit.policies.llm.key=global",
            "ratelimit.policies.llm.paths=/charged",
            "ratelimit.policies.own.limits=100/100s"
        })
class DeepDenialTest {
    @LocalServerPort
    private int port;

    @Autowired
    private RateLimiter limiter;

    @Autowired
    private ConfiguredPolicies policies;

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @EnableAsync
    @Import({Deep.class, Endpoints.class})
    static class Application {
        @Bean
        NanoClock clock() {
            return new ManualClock(ThreadLocalRandom.current().nextLong());
        }

        @Bean
        Filter callsBehindTheFilter(Deep deep) {
            return (request, response, chain) -> {
                if (request instanceof HttpServletRequest http
                        && http.getRequestURI().equals("/by-filter")) {
                    deep.call();
                }
                chain.doFilter(request, response);
            };
        }
    }

    static class Deep {
        @RateLimited("deep")
        public String call() {
            return "ok";
        }

        @RateLimited("deep")
        public CompletableFuture<String> future() {
            return CompletableFuture.completedFuture("ok");
        }

        @RateLimited("deep")
        public Mono<String> mono() {
            return Mono.just("ok");
        }

        @RateLimited("deep")
        public Flux<String> flux() {
            return Flux.just("o", "k");
        }

        @Async
        @RateLimited("deep")
        public CompletableFuture<String> async() {
            return CompletableFuture.completedFuture("ok");
        }
    }

    @RestController
    static class Endpoints {
        private final Deep deep;

        Endpoints(Deep deep) {
            this.deep = deep;
        }

        @GetMapping({"/direct", "/by-filter"})
        String direct() {
            return deep.call();
        }

        @GetMapping("/wrapped")
        String wrapped() {
            try {
                return deep.call();
            } catch (RuntimeException e) {
                throw new IllegalStateException("wrapped", new RuntimeException(e));
            }
        }

        @GetMapping("/future")
        CompletableFuture<String> future() {
            return deep.future();
        }

        @GetMapping("/joined")
        String joined() {
            return deep.future().join();
        }

        @GetMapping("/mono")
        Mono<String> mono() {
            return deep.mono();
        }

        @GetMapping("/elsewhere")
        Mono<String> elsewhere() {
            return deep.mono().subscribeOn(Schedulers.parallel());
        }

        @GetMapping("/flux")
        Flux<String> flux() {
            return deep.flux();
        }

        @GetMapping("/blocked")
        String blocked() {
            return String.valueOf(deep.mono().block());
        }

        @GetMapping("/async")
        CompletableFuture<String> async() {
            return deep.async();
        }

        @GetMapping("/charged")
        String charged(RateLimitCharges charges) {
            charges.settle(10);
            return "ok";
        }

        @GetMapping("/own")
        @RateLimited(policy = "own", tokens = "40", key = "'me'")
        public String own(RateLimitCharges charges) {
            charges.settle(10);
            return "ok";
        }
    }

    private HttpResponse<String> get(String path, String client) throws IOException, InterruptedException {
        return new LocalClient(port).get(path, "X-Client", client);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/direct",
                "/by-filter",
                "/wrapped",
                "/future",
                "/joined",
                "/mono",
                "/elsewhere",
                "/flux",
                "/blocked"
            })
    void isThe429OfTheClient(String path) throws IOException, InterruptedException {
        int allowed = path.equals("/by-filter") ? 1 : 2; // which the filter and the handler are charged for
        for (int i = 0; i < allowed; i++) {
            assertThat(get(path, path).body()).isEqualTo("ok");
        }
        HttpResponse<String> denied = get(path, path);
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(denied.body()).contains("\"violated-policies\":[\"deep\"]");
        assertThat(LocalClient.header(denied, "Retry-After")).isEqualTo("30");
        assertThat(LocalClient.header(denied, "RateLimit")).isEqualTo("\"deep\";r=0;t=30");
        assertThat(get(path, path + " of another").body()).isEqualTo("ok");
    }

    @Test
    void isThe429AlsoFromAThreadThatKnowsNoRequestAndHasTheGlobalBucket() throws IOException, InterruptedException {
        assertThat(get("/async", "one").body()).isEqualTo("ok");
        assertThat(get("/async", "two").body()).isEqualTo("ok");
        assertThat(get("/async", "three").statusCode()).isEqualTo(429);
        assertThat(get("/direct", "three").body()).isEqualTo("ok");
        assertThat(limiter.peek(policies.get("deep"), Keys.GLOBAL, 1).allowed()).isFalse();
    }

    @Test
    void tellsAHandlerWhatItWasCharged() throws IOException, InterruptedException {
        assertThat(get("/charged", "any").body()).isEqualTo("ok");
        assertThat(limiter.peek(policies.get("llm"), Keys.GLOBAL, 1).remaining())
                .isEqualTo(89);
        assertThat(get("/own", "any").body()).isEqualTo("ok");
        assertThat(limiter.peek(policies.get("own"), Keys.of("argument", "me"), 1)
                        .remaining())
                .isEqualTo(89);
    }
}
