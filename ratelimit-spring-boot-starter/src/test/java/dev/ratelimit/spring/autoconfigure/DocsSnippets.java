package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.RateLimitCharges;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.RequestSkip;
import dev.ratelimit.spring.TokenCost;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.UnaryOperator;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** The Java of the pages in docs, word for word. */
@TestConfiguration(proxyBeanMethods = false)
class DocsSnippets {

    @Bean
    PlanResolver plans() {
        return request -> request.isUserInRole("PRO") ? "pro" : "free";
    }

    @Bean
    TokenCost reportPages() {
        return request -> request.getRequestURI().endsWith("/full") ? 10 : 1;
    }

    @Bean
    RequestSkip batchJobs() {
        return request -> request.isUserInRole("BATCH");
    }

    @Bean
    KeyResolver tenant() {
        return request -> request.getHeader("X-Tenant");
    }

    @Bean
    KeyResolver region() {
        return request -> "eu";
    }

    @Bean
    KeyResolver shard() {
        return request -> "shard-" + ThreadLocalRandom.current().nextInt(16);
    }

    static long wouldDeny(RateLimitCounts counts) {
        long wouldDeny = counts.count("api-next", Outcome.SHADOW_DENIED);
        return wouldDeny;
    }

    @RestController
    static class Chat {
        private final UnaryOperator<String> model = String::strip;

        @PostMapping("/chat")
        String chat(@RequestBody String prompt, RateLimitCharges charges) {
            String answer = model.apply(prompt);
            charges.settle("llm", answer.length());
            return answer;
        }
    }
}
