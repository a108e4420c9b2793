package dev.ratelimit.test;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.RateLimited;
import java.util.concurrent.ThreadLocalRandom;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Service;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** An application as a user has one, on a clock that stands still. */
@SpringBootApplication
class TestApplication {

    @Bean
    ManualClock clock() {
        return new ManualClock(ThreadLocalRandom.current().nextLong());
    }

    @RestController
    static class Endpoints {

        @GetMapping({"/filtered", "/penalized"})
        String hello() {
            return "Hello";
        }

        @GetMapping("/login")
        ResponseEntity<String> login(@RequestParam String password) {
            return ResponseEntity.status("right".equals(password) ? 200 : 401).body("");
        }
    }

    @Service
    static class Reports {

        @RateLimited(limit = "2/1m", key = "#tenant")
        public String latest(String tenant) {
            return "latest";
        }

        @RateLimited(limit = "2/1m", maxWait = "30s")
        public String patient() {
            return "patient";
        }
    }
}
