package dev.ratelimit.sample;

import org.springframework.stereotype.Component;

/** Stands in for a third party's service, which would be asked by HTTP and allows us ten requests a minute. */
@Component
class WeatherStation {

    String ask(String city) {
        return "Sunny in " + city;
    }
}
