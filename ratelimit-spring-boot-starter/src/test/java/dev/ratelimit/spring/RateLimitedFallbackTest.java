package dev.ratelimit.spring;

import static dev.ratelimit.spring.LimitedApp.denied;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class RateLimitedFallbackTest {
    private final LimitedApp app = new LimitedApp();

    static class Reports {
        @RateLimited(limit = "1/1m", fallback = "cached")
        public String fallible(String id) {
            return "fresh " + id;
        }

        @SuppressWarnings("UnusedMethod") // by its name
        private String cached(String id, RateLimitExceededException exceeded) {
            return "cached " + id + " " + exceeded.policies();
        }

        @RateLimited(limit = "1/1m", fallback = "alike")
        public String plain(String id) {
            return "fresh " + id;
        }

        public String alike(String id) {
            return "alike " + id;
        }

        @RateLimited(limit = "1/1m", fallback = "broken")
        public void breaks() throws IOException {}

        public void broken(RateLimitExceededException exceeded) throws IOException {
            throw new IOException("broken");
        }

        @RateLimited(limit = "1/1m", fallback = "rethrown")
        public void rethrows() {}

        public void rethrown(RateLimitExceededException exceeded) {
            throw exceeded;
        }
    }

    @Test
    void isCalledInPlaceOfADeniedCall() {
        app.with(Reports.class, reports -> {
            assertThat(reports.fallible("7")).isEqualTo("fresh 7");
            assertThat(reports.fallible("7")).isEqualTo("cached 7 [Reports.fallible]");
            assertThat(reports.plain("7")).isEqualTo("fresh 7");
            assertThat(reports.plain("7")).isEqualTo("alike 7");
        });
    }

    @Test
    void throwsWhatItThrowsByItself() {
        app.with(Reports.class, reports -> {
            try {
                reports.breaks();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(reports::breaks)
                    .withMessage("broken")
                    .withNoCause();
            reports.rethrows();
            denied(reports::rethrows);
        });
    }
}
