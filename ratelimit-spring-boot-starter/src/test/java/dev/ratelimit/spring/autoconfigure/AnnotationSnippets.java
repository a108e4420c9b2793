package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.RateLimitCharges;
import dev.ratelimit.spring.RateLimitExceededException;
import dev.ratelimit.spring.RateLimited;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.core.annotation.AliasFor;
import org.springframework.scheduling.annotation.Async;
import org.springframework.scheduling.annotation.Scheduled;
import reactor.core.publisher.Mono;

/** The Java of docs/annotation.md, word for word. */
class AnnotationSnippets {

    record Report(int pages) {}

    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @RateLimited(limit = "5/1m", key = "#tenant")
    public @interface PerTenant {

        @AliasFor(annotation = RateLimited.class)
        String tokens() default "1";
    }

    static class Reports {

        @RateLimited(limit = "5/1m", key = "#tenant")
        public String latest(String tenant) {
            return "the latest report of " + tenant;
        }

        @RateLimited(policy = "export", key = "#tenant", tokens = "#report.pages")
        public String export(String tenant, Report report) {
            return report.pages() + " pages for " + tenant;
        }

        @RateLimited(limit = "5/1m", key = "#tenant")
        @RateLimited("reports")
        public String yearly(String tenant) {
            return "the year of " + tenant;
        }

        @PerTenant(tokens = "#pages")
        public String print(String tenant, int pages) {
            return pages + " pages";
        }
    }

    static class Services {
        private final Map<String, String> known = new ConcurrentHashMap<>();

        @RateLimited(limit = "1/1s", maxWait = "2s")
        public String translate(String text) {
            return "traduttore, " + text;
        }

        @RateLimited(limit = "1/1m", key = "#city", fallback = "lastKnown")
        public String weather(String city) {
            known.put(city, "sunny");
            return "sunny";
        }

        String lastKnown(String city, RateLimitExceededException denied) {
            return known.get(city) + ", new in " + denied.decisions().get(0).retryAfterNanos() / 1_000_000_000 + " s";
        }

        @RateLimited(limit = "2/1s", key = "#symbol")
        public Mono<String> quote(String symbol) {
            return Mono.fromSupplier(() -> symbol + " 42");
        }
    }

    static class Model {
        String ask(String prompt) {
            if (prompt.isBlank()) {
                throw new IllegalStateException("nothing to say");
            }
            return prompt + prompt;
        }
    }

    static class Assistant {
        private final Model model = new Model();

        @RateLimited(policy = "llm", key = "#tenant", tokens = "#prompt.length()")
        public String ask(String tenant, String prompt, RateLimitCharges charges) {
            int used = 0; // if it fails
            try {
                String answer = model.ask(prompt);
                used = prompt.length() + answer.length();
                return answer;
            } finally {
                charges.settle(used);
            }
        }
    }

    static class Jobs {
        private final AtomicInteger polls = new AtomicInteger();

        @Async
        @RateLimited(limit = "1/1m", key = "#tenant")
        public CompletableFuture<String> mail(String tenant) {
            return CompletableFuture.completedFuture("sent to " + tenant);
        }

        @Scheduled(fixedDelay = 1_000)
        @RateLimited(limit = "100/1h", fallback = "later")
        public void poll() {
            polls.incrementAndGet();
        }

        void later() {
            // there will be another time
        }

        public int polls() {
            return polls.get();
        }
    }

    static String call(Reports reports, String tenant) {
        try {
            return reports.latest(tenant);
        } catch (RateLimitExceededException denied) {
            return denied.policies() + " ask to wait "
                    + Duration.ofNanos(denied.decisions().get(0).retryAfterNanos());
        }
    }

    static int callWithCharges(Assistant assistant) {
        String answer = assistant.ask("acme", "Why is the sky blue?", RateLimitCharges.NONE);
        return answer.length();
    }
}
