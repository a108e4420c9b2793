package dev.ratelimit.test;

import static dev.ratelimit.test.RateLimitAssertions.assertThat;

import dev.ratelimit.spring.autoconfigure.RateLimitAutoConfiguration;
import dev.ratelimit.spring.autoconfigure.RateLimitWebAutoConfiguration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.webmvc.test.autoconfigure.WebMvcTest;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.web.servlet.assertj.MockMvcTester;

/** A slice has limits where they are asked for. */
class SliceTest {

    @Nested
    @WebMvcTest
    @TestPropertySource(properties = {"ratelimit.policies.api.limits=1/1m", "ratelimit.policies.api.paths=/filtered"})
    class Bare {
        @Autowired
        private MockMvcTester mvc;

        @Test
        void hasNoLimits() {
            assertThat(mvc.get().uri("/filtered")).isAllowed();
            assertThat(mvc.get().uri("/filtered")).isAllowed();
        }
    }

    @Nested
    @WebMvcTest
    @ImportAutoConfiguration({RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class})
    @TestPropertySource(properties = {"ratelimit.policies.api.limits=1/1m", "ratelimit.policies.api.paths=/filtered"})
    class WithThem {
        @Autowired
        private MockMvcTester mvc;

        @Test
        void hasTheFilter() {
            assertThat(mvc.get().uri("/filtered")).isAllowed();
            assertThat(mvc.get().uri("/filtered")).isRateLimited().retryAfter(60);
        }
    }
}
