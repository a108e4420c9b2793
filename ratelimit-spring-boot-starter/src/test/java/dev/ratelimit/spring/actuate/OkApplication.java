package dev.ratelimit.spring.actuate;

import dev.ratelimit.ManualClock;
import java.util.concurrent.ThreadLocalRandom;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.web.servlet.function.RequestPredicates;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.RouterFunctions;
import org.springframework.web.servlet.function.ServerResponse;

/** Says ok to every request, while time stands still. */
@EnableAutoConfiguration
class OkApplication {

    @Bean
    ManualClock clock() {
        return new ManualClock(ThreadLocalRandom.current().nextLong());
    }

    @Bean
    RouterFunction<ServerResponse> routes() {
        return RouterFunctions.route(
                RequestPredicates.all(), request -> ServerResponse.ok().body("ok"));
    }
}
