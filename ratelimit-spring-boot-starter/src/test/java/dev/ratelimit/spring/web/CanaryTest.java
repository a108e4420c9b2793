package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.RateLimitExceededException;
import dev.ratelimit.spring.RateLimited;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.io.IOException;
import java.security.Principal;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** A secret by which a client is known is nowhere to be read. */
@ExtendWith(OutputCaptureExtension.class)
class CanaryTest {
    private static final String SECRET = "canary-5ec2e7";

    @Test
    void tellsNobodyWhoIsWho(CapturedOutput output) throws IOException {
        List<String> seen = new ArrayList<>();
        try (ConfigurableApplicationContext context = Container.TOMCAT.start(
                Application.class,
                "logging.level.dev.ratelimit=trace",
                "ratelimit.policies.header.limits=2/1d",
                "ratelimit.policies.header.key=header:X-Api-Key",
                "ratelimit.policies.header.paths=/header",
                "ratelimit.policies.cookie.limits=2/1d",
                "ratelimit.policies.cookie.key=cookie:session",
                "ratelimit.policies.cookie.paths=/cookie",
                "ratelimit.policies.user.limits=2/1d",
                "ratelimit.policies.user.key=principal",
                "ratelimit.policies.user.paths=/user",
                "ratelimit.policies.query.limits=2/1d",
                "ratelimit.policies.query.key=query",
                "ratelimit.policies.query.paths=/query")) {
            for (String path : List.of("header", "cookie", "user", "query", "variable/" + SECRET)) {
                for (String accept : List.of("*/*", "*/*", "text/html", "application/json")) {
                    seen.add(get(Container.port(context), path, accept));
                }
                assertThat(seen.get(seen.size() - 1)).as(path).startsWith("HTTP/1.1 429");
            }
            Application application = context.getBean(Application.class);
            assertThat(application.denied).isNotEmpty();
            application.denied.forEach(
                    denied -> seen.add(denied.toString() + denied.decisions() + denied.violations()));
            context.getBeansOfType(Object.class).forEach((name, bean) -> {
                if (bean.getClass().getName().startsWith("dev.ratelimit.")) {
                    seen.add(name + bean);
                }
            });
        }
        seen.add(output.getAll());
        assertThat(seen).hasSizeGreaterThan(30).noneMatch(text -> text.contains(SECRET));
    }

    /** Without the path, which a denial says to whom it came from. */
    private static String get(int port, String path, String accept) throws IOException {
        return Wire.send(
                        port,
                        "GET /" + path + "?secret=" + SECRET + " HTTP/1.1",
                        "X-Api-Key: " + SECRET,
                        "Cookie: session=" + SECRET,
                        "X-User: " + SECRET,
                        "Accept: " + accept)
                .replace('/' + path, "");
    }

    @Configuration(proxyBeanMethods = false)
    @Import(Account.class)
    @EnableAutoConfiguration
    @RestController
    static class Application {
        private final List<RateLimitExceededException> denied = new ArrayList<>();
        private final Account account;

        Application(Account account) {
            this.account = account;
        }

        @Bean
        static ManualClock clock() {
            return new ManualClock(ThreadLocalRandom.current().nextLong());
        }

        @Bean
        static KeyResolver query() {
            return request -> request.getParameter("secret");
        }

        /** Logs in whoever says a name. */
        @Bean
        static FilterRegistrationBean<Filter> login() {
            FilterRegistrationBean<Filter> login =
                    new FilterRegistrationBean<>((request, response, chain) -> chain.doFilter(
                            new HttpServletRequestWrapper((HttpServletRequest) request) {
                                @Override
                                public Principal getUserPrincipal() {
                                    return () -> getHeader("X-User");
                                }
                            },
                            response));
            login.setOrder(-100);
            return login;
        }

        @GetMapping({"/header", "/cookie", "/user", "/query"})
        String filtered() {
            return "ok";
        }

        @GetMapping("/variable/{id}")
        String annotated(@PathVariable String id) {
            try {
                return account.read(id);
            } catch (RateLimitExceededException e) {
                denied.add(e);
                throw e;
            }
        }
    }

    static class Account {
        @RateLimited(limit = "2/1d", key = "#id")
        public String read(String id) {
            return "read";
        }
    }
}
