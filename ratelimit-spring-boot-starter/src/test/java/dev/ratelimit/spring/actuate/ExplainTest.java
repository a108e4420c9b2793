package dev.ratelimit.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import com.jayway.jsonpath.DocumentContext;
import com.jayway.jsonpath.JsonPath;
import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.TokenCost;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.annotation.Bean;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;

/** Sends random requests, and holds what comes of them against what was explained before. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = ExplainTest.Application.class,
        properties = {
            "spring.autoconfigure.exclude="
                    + "org.springframework.boot.jetty.autoconfigure.servlet.JettyServletWebServerAutoConfiguration",
            "server.servlet.context-path=/shop",
            "management.endpoints.web.exposure.include=ratelimit",
            "ratelimit.client-address.trusted-proxies=127.0.0.0/8",
            "ratelimit.policies.address.limits=40/1m",
            "ratelimit.policies.address.key=ip",
            "ratelimit.policies.address.paths=/**",
            "ratelimit.policies.address.exclude=/api/health,/actuator/**,/static/*.css",
            "ratelimit.policies.address.skip=203.0.113.1",
            "ratelimit.policies.device.limits=12/1m,30/1h",
            "ratelimit.policies.device.key=header:X-Device",
            "ratelimit.policies.device.paths=/api/**,/a b",
            "ratelimit.policies.device.methods=GET,POST",
            "ratelimit.policies.device.penalty.after=3",
            "ratelimit.policies.device.penalty.within=10m",
            "ratelimit.policies.device.penalty.limits=3/1m",
            "ratelimit.policies.device.penalty.for=5m",
            "ratelimit.policies.user.limits=9/1m",
            "ratelimit.policies.user.key=principal",
            "ratelimit.policies.user.paths=/api/{item}",
            "ratelimit.policies.user.tokens=pages",
            "ratelimit.policies.planned.plans.free=6/1m",
            "ratelimit.policies.planned.plans.pro=20/1m",
            "ratelimit.policies.planned.key=cookie:session",
            "ratelimit.policies.planned.paths=/api/**",
            "ratelimit.policies.planned.exclude=/api/free/**",
            "ratelimit.policies.tenant.limits=10/1m",
            "ratelimit.policies.tenant.key=tenants,ip",
            "ratelimit.policies.tenant.paths=/tenants/**",
            "ratelimit.policies.candidate.limits=2/1m",
            "ratelimit.policies.candidate.key=ip",
            "ratelimit.policies.candidate.paths=/api/**",
            "ratelimit.policies.candidate.mode=shadow",
            "ratelimit.policies.retired.limits=1/1m",
            "ratelimit.policies.retired.paths=/**",
            "ratelimit.policies.retired.mode=off",
        })
class ExplainTest {
    private static final List<String> PATHS = List.of(
            "/api/x",
            "/api/x/",
            "/api//x",
            "/api/./x",
            "/api/%78",
            "/api/x;v=1",
            "/api/health",
            "/api/free/y",
            "/a%20b",
            "/static/site.css",
            "/static/site%2Ecss",
            "/tenants/1",
            "/API/x",
            "/elsewhere",
            "/api/x?pages=3",
            "/api/x?pages=0",
            "/api/x?pages=many",
            "/");
    private static final Set<String> IN_FRONT = Set.of("address", "device", "candidate");
    private static final List<String> METHODS = List.of("GET", "GET", "HEAD", "POST", "PUT", "OPTIONS");

    private final int port;

    @Autowired
    private ManualClock clock;

    @Autowired
    private RateLimitCounts counts;

    @Autowired
    private RateLimitEndpoint endpoint;

    ExplainTest(@LocalServerPort int port) {
        this.port = port;
    }

    static class Application extends OkApplication {
        @Bean
        PlanResolver plans() {
            return request -> request.getHeader("Plan");
        }

        @Bean
        KeyResolver tenants() {
            return request -> {
                String tenant = request.getHeader("Tenant");
                if ("broken".equals(tenant)) {
                    throw new IllegalStateException("no tenants today");
                }
                return tenant;
            };
        }

        @Bean
        TokenCost pages() {
            return request -> {
                String pages = request.getParameter("pages");
                return pages == null ? 1 : Long.parseLong(pages);
            };
        }

        @Bean
        UserDetailsService users() {
            return new InMemoryUserDetailsManager(
                    User.withUsername("ann").password("{noop}pw").build(),
                    User.withUsername("bob").password("{noop}pw").build());
        }

        @Bean
        SecurityFilterChain security(HttpSecurity http) throws Exception {
            return http.csrf(csrf -> csrf.disable())
                    .httpBasic(Customizer.withDefaults())
                    .authorizeHttpRequests(requests -> requests.anyRequest().permitAll())
                    .build();
        }
    }

    private record Sent(
            String method, String path, @Nullable String user, Map<String, String> headers) {

        static Sent random(Random random) {
            Map<String, String> headers = new LinkedHashMap<>();
            putSome(headers, "X-Device", List.of("phone", "desk"), random);
            putSome(headers, "Plan", List.of("free", "pro", "gold"), random);
            putSome(headers, "Tenant", List.of("acme", "broken"), random);
            putSome(headers, "Cookie", List.of("session=1", "other=2; session=3", "other=4"), random);
            putSome(headers, "Origin", List.of("https://elsewhere.example"), random);
            putSome(headers, "Access-Control-Request-Method", List.of("GET"), random);
            putSome(
                    headers,
                    "X-Forwarded-For",
                    List.of("203.0.113.1", "203.0.113.2, 127.0.0.9", "2001:db8:0:1::7", "nonsense"),
                    random);
            String user = random.nextInt(3) == 0 ? null : random.nextBoolean() ? "ann" : "bob";
            return new Sent(any(METHODS, random), "/shop" + any(PATHS, random), user, headers);
        }

        private static void putSome(Map<String, String> headers, String name, List<String> values, Random random) {
            if (random.nextBoolean()) {
                headers.put(name, any(values, random));
            }
        }

        private static String any(List<String> values, Random random) {
            return values.get(random.nextInt(values.size()));
        }
    }

    /** Returns the status and the fields, of a request that no client tidies up. */
    private Map<String, String> send(Sent sent) throws IOException {
        StringBuilder text = new StringBuilder(sent.method + ' ' + sent.path + " HTTP/1.1\r\nHost: localhost\r\n");
        sent.headers.forEach((name, value) -> text.append(name + ": " + value + "\r\n"));
        if (sent.user != null) {
            String login = Base64.getEncoder().encodeToString((sent.user + ":pw").getBytes(StandardCharsets.UTF_8));
            text.append("Authorization: Basic " + login + "\r\n");
        }
        text.append("Content-Length: 0\r\nConnection: close\r\n\r\n");
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(text.toString().getBytes(StandardCharsets.UTF_8));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            Map<String, String> fields = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            String[] lines = answer.split("\r\n\r\n", 2)[0].split("\r\n", -1);
            fields.put("status", lines[0].split(" ", -1)[1]);
            for (int i = 1; i < lines.length; i++) {
                String[] field = lines[i].split(": ?", 2);
                fields.put(field[0], field[1]);
            }
            return fields;
        }
    }

    private DocumentContext explained(Sent sent) {
        List<String> headers = new ArrayList<>();
        sent.headers.forEach((name, value) -> headers.add(name + ": " + value));
        return JsonPath.parse(
                (Object) endpoint.explain("explain", sent.method, sent.path, "127.0.0.1", sent.user, headers)
                        .getBody());
    }

    private Map<String, Long> total(Outcome... outcomes) {
        Map<String, Long> totals = new LinkedHashMap<>();
        for (String policy : List.of("address", "device", "user", "planned", "tenant", "candidate", "retired")) {
            long total = 0;
            for (Outcome each : outcomes) {
                total += counts.count(policy, each);
            }
            totals.put(policy, total);
        }
        return totals;
    }

    @Test
    void saysBeforehandWhatComesOfARequest() throws Exception {
        long seed = ThreadLocalRandom.current().nextLong();
        Random random = new Random(seed);
        int denials = 0;
        for (int i = 0; i < 400; i++) {
            Sent sent = Sent.random(random);
            String description = "seed " + seed + ", request " + i + ": " + sent;
            DocumentContext explained = explained(sent);
            Map<String, Long> before = total(Outcome.ALLOWED, Outcome.DENIED, Outcome.SHADOW_DENIED);
            Map<String, Long> deniedBefore = total(Outcome.DENIED, Outcome.SHADOW_DENIED);
            Map<String, Long> skippedBefore = total(Outcome.SKIPPED);

            Map<String, String> answer = send(sent);

            boolean allowed = isAllowed(explained, isBehindSecurity(answer));
            assertThat("429".equals(answer.get("status"))).as(description).isEqualTo(!allowed);
            denials += allowed ? 0 : 1;
            for (Map<String, Object> policy : explained.<List<Map<String, Object>>>read("$.policies")) {
                check(policy, before, deniedBefore, skippedBefore, isBehindSecurity(answer), description + answer);
            }
            assertThat(states(answer))
                    .as(description)
                    .isEqualTo(statesOf(explained, allowed, isBehindSecurity(answer)));
            if (random.nextInt(20) == 0) {
                clock.advance(Duration.ofSeconds(random.nextInt(90)));
            }
        }
        assertThat(denials).isBetween(10, 390);
    }

    @Test
    void saysThatWhatIsBehindADenialIsNotAsked() throws Exception {
        Map<String, String> headers = Map.of("X-Device", "flooded");
        for (int i = 0; i < 12; i++) {
            send(new Sent("GET", "/shop/a%20b", null, headers));
        }

        DocumentContext explained = explained(new Sent("GET", "/shop/api/x", "ann", headers));

        assertThat(explained.<List<Boolean>>read("$.policies[?(@.policy == 'device')].allowed"))
                .containsExactly(false);
        assertThat(explained.<List<String>>read("$.policies[?(@.policy == 'user')].reason"))
                .containsExactly("a policy that is asked before it denies the request");
        assertThat(explained.<List<Boolean>>read("$.policies[?(@.policy == 'user')].asked"))
                .containsExactly(false);
    }

    private void check(
            Map<String, Object> policy,
            Map<String, Long> before,
            Map<String, Long> deniedBefore,
            Map<String, Long> skippedBefore,
            boolean behindSecurity,
            String description) {
        String name = (String) Objects.requireNonNull(policy.get("policy"));
        boolean skipped = "it skips this client".equals(policy.get("reason"));
        assertThat(more(name, skippedBefore, total(Outcome.SKIPPED)))
                .as(name + " of " + description)
                .isEqualTo(skipped ? 1 : 0);
        long asked = more(name, before, total(Outcome.ALLOWED, Outcome.DENIED, Outcome.SHADOW_DENIED));
        assertThat(asked == 1)
                .as(name + " of " + description)
                .isEqualTo(Boolean.TRUE.equals(policy.get("asked")) && (behindSecurity || IN_FRONT.contains(name)));
        if (asked == 1) {
            assertThat(more(name, deniedBefore, total(Outcome.DENIED, Outcome.SHADOW_DENIED)))
                    .as(name + " of " + description)
                    .isEqualTo(Boolean.TRUE.equals(policy.get("allowed")) ? 0 : 1);
        }
    }

    private static long more(String name, Map<String, Long> before, Map<String, Long> after) {
        return Objects.requireNonNull(after.get(name)) - Objects.requireNonNull(before.get(name));
    }

    private static long number(Map<String, Object> explained, String field) {
        return ((Number) Objects.requireNonNull(explained.get(field))).longValue();
    }

    /** What the answer says is left under each policy. */
    private static Map<String, Long> states(Map<String, String> answer) {
        Map<String, Long> states = new TreeMap<>();
        for (String state : answer.getOrDefault("RateLimit", "").split(", ", -1)) {
            if (!state.isEmpty()) {
                String[] parts = state.split("\";r=|;t=", -1);
                states.put(parts[0].substring(1).replaceAll("-\\d+$", ""), Long.valueOf(parts[1]));
            }
        }
        return states;
    }

    private static boolean isAllowed(DocumentContext explained, boolean behindSecurity) {
        boolean allowed = explained.<List<Map<String, Object>>>read("$.policies").stream()
                .filter(each -> behindSecurity || IN_FRONT.contains(each.get("policy")))
                .noneMatch(each -> "enforce".equals(each.get("mode")) && Boolean.FALSE.equals(each.get("allowed")));
        assertThat(allowed || !explained.<Boolean>read("$.allowed")).isTrue();
        return allowed;
    }

    private static Map<String, Long> statesOf(DocumentContext explained, boolean allowed, boolean behindSecurity) {
        Map<String, Long> states = new TreeMap<>();
        for (Map<String, Object> each : explained.<List<Map<String, Object>>>read("$.policies")) {
            String name = (String) each.get("policy");
            if (Boolean.TRUE.equals(each.get("asked"))
                    && "enforce".equals(each.get("mode"))
                    && (behindSecurity || IN_FRONT.contains(name))) {
                long left = number(each, "remaining");
                long tokens = number(each, "tokens");
                states.put(name, allowed ? left - tokens : left);
            }
        }
        return states;
    }

    /** Whether the request came so far: it did not if the filter in front denied it, or Security took offence at its path. */
    private static boolean isBehindSecurity(Map<String, String> answer) {
        return answer.containsKey("X-Frame-Options");
    }
}
