package dev.ratelimit.spring.web;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.RateLimited;
import java.util.concurrent.ThreadLocalRandom;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.RouterFunctions;
import org.springframework.web.servlet.function.ServerResponse;

/** Says ok to every request, and to {@code /annotated} by a method under the policy of that name. */
@EnableAutoConfiguration
class PlainApplication {

    @Bean
    ManualClock clock() {
        return new ManualClock(ThreadLocalRandom.current().nextLong());
    }

    @Bean
    Annotated annotated() {
        return new Annotated();
    }

    @Bean
    RouterFunction<ServerResponse> routes(Annotated annotated) {
        return RouterFunctions.route()
                .GET("/annotated", request -> ServerResponse.ok().body(annotated.call()))
                .GET("/**", request -> ServerResponse.ok().body("ok"))
                .build();
    }

    static class Annotated {
        @RateLimited("annotated")
        public String call() {
            return "ok";
        }
    }
}
