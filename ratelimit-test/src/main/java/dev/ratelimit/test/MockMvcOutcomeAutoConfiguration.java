package dev.ratelimit.test;

import dev.ratelimit.spring.web.RateLimitOutcome;
import jakarta.servlet.ServletRequestEvent;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.webmvc.test.autoconfigure.MockMvcBuilderCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.mock.web.MockHttpServletRequest;

/**
 * Gives back under MockMvc what {@code charge-on} does not ask for. A server tells listeners when a request is over and its
 * status final; MockMvc has none.
 */
@AutoConfiguration
@ConditionalOnClass(RateLimitOutcome.class)
final class MockMvcOutcomeAutoConfiguration {

    @Bean
    MockMvcBuilderCustomizer mockMvcRateLimitOutcome() {
        RateLimitOutcome outcome = new RateLimitOutcome();
        return builder -> builder.alwaysDo(result -> {
            MockHttpServletRequest request = result.getRequest();
            outcome.requestDestroyed(new ServletRequestEvent(request.getServletContext(), request));
        });
    }
}
