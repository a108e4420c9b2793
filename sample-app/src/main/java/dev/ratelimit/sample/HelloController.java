package dev.ratelimit.sample;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Knows nothing of rate limits: application.yml puts one in front of all of {@code /api}. */
@RestController
class HelloController {

    @GetMapping("/api/hello")
    String hello() {
        return "Hello!\n";
    }
}
