package dev.ratelimit.spring.web;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.RateLimitExceededException;
import dev.ratelimit.spring.RateLimited;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.Writer;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Service;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.async.DeferredResult;

/** What the tests of this package put the filter in front of. */
@SpringBootApplication
class TestApplication {

    @Bean
    ManualClock clock() {
        return new ManualClock(ThreadLocalRandom.current().nextLong());
    }

    @Bean
    KeyResolver moody() {
        return request -> {
            String mood = request.getHeader("Mood");
            if ("angry".equals(mood)) {
                throw new IllegalStateException("not today");
            }
            return mood;
        };
    }

    @Bean
    KeyResolver unused() {
        return request -> "unused";
    }

    @RestController
    static class Endpoints {
        private final Exports exports;
        private final AtomicInteger calls = new AtomicInteger();

        Endpoints(Exports exports) {
            this.exports = exports;
        }

        AtomicInteger calls() {
            return calls;
        }

        @GetMapping({
            "/filtered",
            "/header",
            "/cookie",
            "/principal",
            "/bean",
            "/everyone",
            "/both",
            "/never/free",
            "/a b"
        })
        String filtered() {
            calls.incrementAndGet();
            return "ok";
        }

        @PostMapping("/filtered")
        String posted() {
            return filtered();
        }

        @GetMapping("/annotated")
        @RateLimited("annotated")
        String annotated() {
            return filtered();
        }

        @GetMapping("/writer")
        @RateLimited("annotated")
        void writer(Writer writer) throws IOException {
            writer.write(filtered());
        }

        @GetMapping("/error-dispatched")
        void errorDispatched(HttpServletResponse response) throws IOException {
            response.sendError(418);
        }

        @GetMapping("/own-account")
        void ownAccount() {
            deny(1_500_000_000L, false);
        }

        @GetMapping("/never-granted")
        void neverGranted() {
            deny(Long.MAX_VALUE, false);
        }

        @GetMapping("/penalized")
        void penalized() {
            deny(1_500_000_000L, true);
        }

        @GetMapping("/committed")
        void committed(HttpServletResponse response) throws IOException {
            response.setContentLength(5);
            response.getWriter().write("begun");
            response.flushBuffer();
            deny(1_500_000_000L, false);
        }

        private static void deny(long retryAfterNanos, boolean penalized) {
            Policy own = Policy.of("own", Limit.parse("1/2s"));
            Decision denial = new Decision(
                    false, 0, retryAfterNanos, 2_000_000_000L, own.limits().get(0));
            throw new RateLimitExceededException(List.of(new PolicyDecision(own, denial, penalized)));
        }

        @GetMapping("/filtered/and-early")
        @RateLimited("early")
        String filteredAndEarly() {
            return filtered();
        }

        @GetMapping("/service/{tenant}")
        String service(@PathVariable String tenant) {
            return exports.export(tenant);
        }

        @GetMapping("/filtered/and-annotated")
        @RateLimited("annotated")
        String filteredAndAnnotated() {
            return filtered();
        }

        @GetMapping("/deferred")
        DeferredResult<String> deferred() {
            DeferredResult<String> result = new DeferredResult<>();
            result.setResult(filtered());
            return result;
        }

        @GetMapping("/callable")
        Callable<String> callable() {
            return this::filtered;
        }

        @GetMapping("/broken")
        String broken() {
            calls.incrementAndGet();
            throw new IllegalStateException("broken");
        }

        @GetMapping("/forwarded")
        void forwarded(HttpServletRequest request, HttpServletResponse response) throws Exception {
            request.getRequestDispatcher("/filtered").forward(request, response);
        }
    }

    @Service
    static class Exports {
        @RateLimited(limit = "5/1m", key = "#tenant")
        public String export(String tenant) {
            return "exported";
        }
    }

    /** Many an application has one of these; it must not make a 500 of a 429. */
    @RestControllerAdvice
    static class CatchAll {
        @ExceptionHandler(Exception.class)
        ResponseEntity<String> everything(Exception e) {
            return ResponseEntity.internalServerError().body("caught");
        }
    }
}
