package dev.ratelimit.sample;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

@RestController
class WeatherController {
    private final WeatherService weather;

    WeatherController(WeatherService weather) {
        this.weather = weather;
    }

    @GetMapping("/weather/{city}")
    String weather(@PathVariable String city) {
        return weather.in(city) + "\n";
    }
}
