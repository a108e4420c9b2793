package dev.ratelimit.sample;

import static dev.ratelimit.test.RateLimitAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;

import dev.ratelimit.ManualClock;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.RateLimitExceededException;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.context.annotation.Bean;
import org.springframework.test.context.bean.override.mockito.MockitoSpyBean;
import org.springframework.test.web.servlet.assertj.MockMvcTester;

/** The tests that docs/testing.md shows: of limits, and without a second of waiting. */
@SpringBootTest
@AutoConfigureMockMvc
class LimitsTest {

    @TestConfiguration
    static class Time {
        @Bean
        ManualClock clock() {
            return new ManualClock(0);
        }
    }

    @Autowired
    private ManualClock clock;

    @Autowired
    private MockMvcTester mvc;

    @Autowired
    private ReportService reports;

    @Autowired
    private RateLimiter limiter;

    @Autowired
    private ConfiguredPolicies policies;

    @Autowired
    private WeatherService weather;

    @MockitoSpyBean
    private WeatherStation station;

    @BeforeEach
    void allBucketsAreFull() {
        clock.advance(Duration.ofDays(1));
    }

    @Test
    void greetsFiveTimesAMinute() {
        for (int left = 4; left >= 0; left--) {
            assertThat(mvc.get().uri("/api/hello")).isAllowed().remaining(left);
        }
        assertThat(mvc.get().uri("/api/hello")).isRateLimited().retryAfter(12).violates("api");

        clock.advance(Duration.ofSeconds(12));
        assertThat(mvc.get().uri("/api/hello")).isAllowed();
    }

    @Test
    void reportsToEachTenant() {
        for (int i = 0; i < 5; i++) {
            reports.latest("acme");
        }

        assertThatExceptionOfType(RateLimitExceededException.class)
                .isThrownBy(() -> reports.latest("acme"))
                .satisfies(denied -> {
                    assertThat(denied.policies()).containsExactly("ReportService.latest");
                    assertThat(denied.decisions().get(0)).isRateLimited().retryAfter(12);
                });
        assertThat(reports.latest("globex")).isEqualTo("The latest report of globex");
    }

    @Test
    void exportsTenPagesAMinute() {
        assertThat(limiter.tryConsume(policies.get("export"), "acme", 8))
                .isAllowed()
                .remaining(2);
        assertThat(limiter.tryConsume(policies.get("export"), "acme", 4))
                .isRateLimited()
                .retryAfter(12);
    }

    @Test
    void asksTheWeatherStationNoMoreThanItAllows() {
        for (int i = 0; i < 10; i++) {
            assertThat(weather.in("Rome")).isEqualTo("Sunny in Rome");
        }
        assertThat(weather.in("Rome")).isEqualTo("Known again in PT6S");
        verify(station, times(10)).ask("Rome");

        clock.advance(Duration.ofSeconds(6));
        assertThat(weather.in("Rome")).isEqualTo("Sunny in Rome");
    }
}
