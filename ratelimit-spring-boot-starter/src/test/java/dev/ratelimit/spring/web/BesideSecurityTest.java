package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.Keys;
import jakarta.servlet.DispatcherType;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpStatus;
import org.springframework.security.authentication.AuthenticationProvider;
import org.springframework.security.authentication.BadCredentialsException;
import org.springframework.security.authentication.UsernamePasswordAuthenticationToken;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.Authentication;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.authentication.HttpStatusEntryPoint;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** The filter on both sides of Spring Security, which stands at -100. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {
            "spring.autoconfigure.exclude="
                    + "org.springframework.boot.jetty.autoconfigure.servlet.JettyServletWebServerAutoConfiguration",
            "ratelimit.policies.login.limits=5/1m",
            "ratelimit.policies.login.paths=/login",
            "ratelimit.policies.basic.limits=5/1m",
            "ratelimit.policies.basic.paths=/basic",
            "ratelimit.policies.wrong.limits=5/1m",
            "ratelimit.policies.wrong.paths=/guarded",
            "ratelimit.policies.wrong.charge-on=401",
            "ratelimit.policies.first.limits=10/1m",
            "ratelimit.policies.first.paths=/mine",
            "ratelimit.policies.user.limits=3/1m",
            "ratelimit.policies.user.key=principal",
            "ratelimit.policies.user.paths=/mine",
            "ratelimit.policies.last.limits=20/1m",
            "ratelimit.policies.last.key=global",
            "ratelimit.policies.last.paths=/mine",
            "ratelimit.policies.refused.limits=5/1m",
            "ratelimit.policies.refused.key=principal",
            "ratelimit.policies.refused.paths=/forbidden",
            "ratelimit.policies.refused.charge-on=403",
            "ratelimit.policies.quick.limits=2/1s",
            "ratelimit.policies.quick.key=global",
            "ratelimit.policies.quick.paths=/slow",
            "ratelimit.policies.rare.limits=1/1h",
            "ratelimit.policies.rare.key=principal",
            "ratelimit.policies.rare.paths=/slow",
        })
class BesideSecurityTest {
    private final HttpClient client = HttpClient.newHttpClient();

    @LocalServerPort
    private int port;

    @Autowired
    private ManualClock clock;

    @Autowired
    private Application application;

    @Autowired
    private RateLimiter limiter;

    @Autowired
    private ConfiguredPolicies policies;

    @BeforeEach
    void fillAllBuckets() {
        clock.advance(Duration.ofDays(1));
        application.attempts.set(0);
        application.meanwhile = () -> {};
    }

    private HttpResponse<String> get(String path, @Nullable String user, String password)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
        if (user != null) {
            byte[] credentials = (user + ':' + password).getBytes(StandardCharsets.UTF_8);
            request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(credentials));
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    private HttpResponse<String> get(String path, String user) throws IOException, InterruptedException {
        return get(path, user, "right");
    }

    private URI uri(String path) {
        return URI.create("http://localhost:" + port + path);
    }

    private static String state(HttpResponse<?> response) {
        return String.join(" | ", response.headers().allValues("RateLimit"));
    }

    @Test
    void letsNobodyGuessPasswordsInAForm() throws Exception {
        for (int i = 0; i < 100; i++) {
            HttpRequest login = HttpRequest.newBuilder(uri("/login"))
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .POST(BodyPublishers.ofString("username=alice&password=wrong" + i))
                    .build();
            assertThat(client.send(login, BodyHandlers.ofString()).statusCode()).isEqualTo(i < 5 ? 302 : 429);
        }

        assertThat(application.attempts).hasValue(5);
    }

    @Test
    void letsNobodyGuessPasswordsInAHeader() throws Exception {
        for (int i = 0; i < 100; i++) {
            assertThat(get("/basic", "alice", "wrong" + i).statusCode()).isEqualTo(i < 5 ? 401 : 429);
        }

        assertThat(application.attempts).hasValue(5);
    }

    @Test
    void chargesWrongPasswordsOnlyWhereThatIsAskedFor() throws Exception {
        for (int i = 0; i < 10; i++) {
            assertThat(get("/guarded", "alice").statusCode()).isEqualTo(200);
        }
        for (int i = 0; i < 4; i++) {
            assertThat(get("/guarded", "alice", "wrong").statusCode()).isEqualTo(401);
        }
        assertThat(get("/guarded", "alice").statusCode()).isEqualTo(200);
        assertThat(get("/guarded", "alice", "wrong").statusCode()).isEqualTo(401);
        assertThat(get("/guarded", "alice", "right").statusCode()).isEqualTo(429);
    }

    @Test
    void keepsABucketForEachUserBehindOneAddress() throws Exception {
        for (int i = 0; i < 3; i++) {
            assertThat(get("/mine", "alice").body()).isEqualTo("alice");
        }
        assertThat(get("/mine", "alice").statusCode()).isEqualTo(429);
        assertThat(get("/mine", "bob").statusCode()).isEqualTo(200);
    }

    @Test
    void listsThePoliciesOfBothPhasesInTheOrderOfTheProperties() throws Exception {
        for (int i = 0; i < 3; i++) {
            assertThat(state(get("/mine", "alice")))
                    .isEqualTo("\"first\";r=%d;t=6, \"user\";r=%d;t=20, \"last\";r=%d;t=3"
                            .formatted(9 - i, 2 - i, 19 - i));
        }
        HttpResponse<String> denied = get("/mine", "alice");
        assertThat(denied.statusCode()).isEqualTo(429);
        assertThat(state(denied)).isEqualTo("\"first\";r=7;t=6, \"user\";r=0;t=20, \"last\";r=17;t=3");
        assertThat(denied.body()).contains("\"violated-policies\":[\"user\"]");
    }

    @Test
    void givesBackWhatTheFirstPhaseTookWhereTheSecondDenies() throws Exception {
        for (int i = 0; i < 50; i++) {
            get("/mine", "alice");
        }

        assertThat(state(get("/mine", "bob"))).contains("\"first\";r=6;", "\"last\";r=16;");
    }

    @Test
    void givesNothingBackThatHasFlowedInAgainWhileSecurityWasBusy() throws Exception {
        Policy quick = policies.get("quick");
        assertThat(get("/slow", "alice").statusCode()).isEqualTo(200);
        clock.advance(Duration.ofSeconds(1));
        application.meanwhile = () -> {
            clock.advance(Duration.ofSeconds(1));
            assertThat(limiter.tryConsume(quick, Keys.GLOBAL, 2).allowed()).isTrue();
        };

        assertThat(get("/slow", "alice").statusCode()).isEqualTo(429);

        assertThat(limiter.tryConsume(quick, Keys.GLOBAL, 1).allowed()).isFalse();
    }

    @Test
    void chargesTheFirstPhaseForWhatSecurityAnswersByItself() throws Exception {
        for (int i = 0; i < 10; i++) {
            HttpResponse<String> unknown = get("/mine", null, "");
            assertThat(unknown.statusCode()).isEqualTo(401);
            assertThat(state(unknown)).doesNotContain("user");
        }
        assertThat(get("/mine", null, "").statusCode()).isEqualTo(429);
        clock.advance(Duration.ofSeconds(6));
        assertThat(state(get("/mine", "alice"))).contains("\"user\";r=2;");
    }

    @Test
    void seesTheStatusThatSecurityMakesOfWhatTheHandlerThrows() throws Exception {
        for (int i = 0; i < 5; i++) {
            assertThat(get("/forbidden", "alice").statusCode()).isEqualTo(403);
        }
        assertThat(get("/forbidden", "alice").statusCode()).isEqualTo(429);
        for (int i = 0; i < 8; i++) {
            assertThat(get("/forbidden", "root").statusCode()).isEqualTo(200);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @RestController
    static class Application {
        private final AtomicInteger attempts = new AtomicInteger();
        private volatile Runnable meanwhile = () -> {};

        @Bean
        ManualClock clock() {
            return new ManualClock(ThreadLocalRandom.current().nextLong());
        }

        @Bean
        AuthenticationProvider users() {
            return new AuthenticationProvider() {
                @Override
                public Authentication authenticate(Authentication login) {
                    attempts.incrementAndGet();
                    meanwhile.run();
                    if (!"right".equals(login.getCredentials())) {
                        throw new BadCredentialsException("wrong");
                    }
                    return UsernamePasswordAuthenticationToken.authenticated(login.getName(), null, List.of());
                }

                @Override
                public boolean supports(Class<?> type) {
                    return type == UsernamePasswordAuthenticationToken.class;
                }
            };
        }

        /** Answers without the container's help, so that only the end of the request shows the status. */
        @Bean
        SecurityFilterChain security(HttpSecurity http) {
            return http.csrf(csrf -> csrf.disable())
                    .authorizeHttpRequests(requests -> requests.dispatcherTypeMatchers(DispatcherType.ERROR)
                            .denyAll()
                            .anyRequest()
                            .authenticated())
                    .formLogin(Customizer.withDefaults())
                    .httpBasic(
                            basic -> basic.authenticationEntryPoint(new HttpStatusEntryPoint(HttpStatus.UNAUTHORIZED)))
                    .exceptionHandling(failures -> failures.authenticationEntryPoint(
                                    new HttpStatusEntryPoint(HttpStatus.UNAUTHORIZED))
                            .accessDeniedHandler((request, response, denial) -> response.setStatus(403)))
                    .build();
        }

        @GetMapping({"/basic", "/guarded", "/mine", "/slow"})
        String name(Authentication user) {
            return user.getName();
        }

        @GetMapping("/forbidden")
        String forbidden(Authentication user) {
            if (!user.getName().equals("root")) {
                throw new org.springframework.security.access.AccessDeniedException("not for you");
            }
            return "ok";
        }
    }
}
