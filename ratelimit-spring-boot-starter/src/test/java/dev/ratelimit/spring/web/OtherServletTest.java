package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;

/** A servlet beside Spring's, as a console or a SOAP library brings along, is known by its whole path. */
@ExtendWith(OutputCaptureExtension.class)
class OtherServletTest {

    @EnableAutoConfiguration
    static class Application extends HttpServlet {
        private static final long serialVersionUID = 1L;
        private static final AtomicLong RUNS = new AtomicLong();

        @Bean
        static ServletRegistrationBean<Application> soap() {
            return new ServletRegistrationBean<>(new Application(), "/soap/*");
        }

        @Override
        protected void service(HttpServletRequest request, HttpServletResponse response) {
            RUNS.incrementAndGet();
        }
    }

    @ParameterizedTest
    @EnumSource
    void isChargedInEverySpelling(Container container, CapturedOutput output) throws IOException {
        List<String> spellings = List.of(
                "/soap",
                "/soap/a",
                "/soap//a",
                "//soap/a",
                "/soap;x/a",
                "/%73oap/a",
                "/x/../soap/a",
                "/x/..;a=1/soap/a",
                "/actuator/../soap/a",
                "/actuator/%2e%2e/soap/a");
        List<String> wrong = new ArrayList<>();
        long before = Application.RUNS.get();
        try (ConfigurableApplicationContext context = container.start(
                Application.class,
                "ratelimit.policies.soap.limits=1000/1d",
                "ratelimit.policies.soap.paths=/soap/**",
                "ratelimit.policies.soap.key=global")) {
            for (String spelling : spellings) {
                long runs = Application.RUNS.get();
                long spent = Tokens.spent(context, "soap");
                String response = Wire.send(Container.port(context), "GET " + spelling + " HTTP/1.1");
                boolean ran = Application.RUNS.get() > runs;
                boolean charged = Tokens.spent(context, "soap") > spent;
                if ((ran && !charged) || response.startsWith("HTTP/1.1 500")) {
                    wrong.add(spelling + ": " + response.lines().findFirst().orElse(""));
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(Application.RUNS.get() - before).as("runs").isGreaterThan(3);
        assertThat(output).doesNotContain("RATELIMIT-W");
    }
}
