package dev.ratelimit.sample;

import dev.ratelimit.Decision;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import java.time.Duration;
import org.springframework.stereotype.Service;

/** Asks a third party no more often than that allows, so that it never has a reason to lock us out. */
@Service
class WeatherService {
    private final RateLimiter limiter;
    private final ConfiguredPolicies policies;
    private final WeatherStation station;

    WeatherService(RateLimiter limiter, ConfiguredPolicies policies, WeatherStation station) {
        this.limiter = limiter;
        this.policies = policies;
        this.station = station;
    }

    /** The key is ours, whoever wants to know: the third party counts all that we ask. */
    String in(String city) {
        Decision decision = limiter.tryConsume(policies.get("weather-station"), "us", 1);
        if (!decision.allowed()) {
            return "Known again in " + Duration.ofNanos(decision.retryAfterNanos());
        }
        return station.ask(city);
    }
}
