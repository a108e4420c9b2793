package dev.ratelimit.sample;

import jakarta.servlet.http.HttpServletRequest;
import org.springframework.context.annotation.Profile;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** What the page at {@code /} plays with, beside the endpoints that application.yml limits anyway. */
@Profile("playground")
@RestController
@RequestMapping("/playground")
class PlaygroundController {

    @GetMapping("/ping")
    String ping() {
        return "pong\n";
    }

    /** Tells the page its own address, by which it finds its buckets. */
    @GetMapping("/address")
    String address(HttpServletRequest request) {
        return request.getRemoteAddr();
    }
}
