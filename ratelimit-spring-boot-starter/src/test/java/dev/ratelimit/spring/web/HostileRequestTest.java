package dev.ratelimit.spring.web;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.PolicyDecision;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Clients choose paths, keys and what they accept; none of it may break out of a log record, a header or the body. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        classes = TestApplication.class,
        properties = {
            "logging.level.dev.ratelimit=trace",
            "ratelimit.policies.annotated.limits=5/1m", // TestApplication names it
            "ratelimit.policies.early.limits=5/1m",
            "ratelimit.policies.all.limits=1/1d",
            "ratelimit.policies.all.key=global",
            "ratelimit.policies.all.paths=/**",
            "ratelimit.policies.keyed.limits=1/1d",
            "ratelimit.policies.keyed.key=header:X-Api-Key",
            "ratelimit.policies.keyed.paths=/**"
        })
@ExtendWith(OutputCaptureExtension.class)
class HostileRequestTest {
    private static final String[] BITS = {
        "\r\n",
        "\n",
        "\u0000",
        "\u001b[31m",
        "\u2028",
        "\u0085",
        "\u00fc",
        "\ud800",
        "\"",
        "\\",
        "'",
        "<script>",
        "${jndi:ldap://x}",
        "X-Injected: 1",
        "Set-Cookie: a=b",
        "%0d%0a",
        "{}",
        "%s",
        "\t",
        ";",
        ",",
        "=",
        "a",
        "/",
        "\ud83d\ude00"
    };

    private final Random random = new Random(42);
    private final JsonMapper json = new JsonMapper();

    @LocalServerPort
    private int port;

    private String hostile() {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(1, 8); i > 0; i--) {
            text.append(BITS[random.nextInt(BITS.length)]);
        }
        return text.toString();
    }

    @Test
    void keepsHostilePathsKeysAndTypesInTheirPlaces(CapturedOutput output) throws Exception {
        int denials = 0;
        for (int i = 0; i < 1_000; i++) {
            String response = send("/" + percentEncoded(hostile()), headerValue(hostile()), headerValue(hostile()));
            String[] lines = response.substring(0, response.indexOf("\r\n\r\n")).split("\r\n");
            for (int line = 1; line < lines.length; line++) {
                assertThat(lines[line])
                        .matches("[A-Za-z-]+: [0-9A-Za-z;=,\"+/: -]+")
                        .doesNotStartWith("X-Injected");
            }
            if (lines[0].startsWith("HTTP/1.1 429")) {
                denials++;
                checkFields(lines);
                if (response.contains("application/problem+json")) {
                    JsonNode problem = json.readTree(response.substring(response.indexOf("\r\n\r\n") + 4));
                    assertThat(problem.get("violated-policies").get(0).asString())
                            .isEqualTo("all");
                    assertThat(problem.size()).isEqualTo(6);
                }
            }
        }
        assertThat(denials).isGreaterThan(300); // Tomcat does not let all of them in
        assertThat(output.getAll().lines())
                .filteredOn(line -> line.contains("dev.ratelimit") || line.contains("d.r."))
                .allMatch(line -> line.matches("\\d{4}-\\d\\d-\\d\\dT[ -~]*"));
        assertThat(output.getAll()).doesNotContain("X-Injected");
    }

    private static void checkFields(String[] lines) {
        assertThat(lines)
                .filteredOn(line -> line.startsWith("RateLimit") || line.startsWith("Retry-After"))
                .hasSize(3)
                .allMatch(line -> line.matches("[A-Za-z-]+: [0-9a-z;=,\" -]+"));
    }

    /** What a container may hand us that is laxer than Tomcat. */
    @Test
    void escapesAnyPathInTheProblem() throws IOException {
        Policy policy = Policy.of("api", Limit.parse("1/1m"));
        Decision denial = new Decision(false, 0, 1, 1, policy.limits().get(0));
        for (int i = 0; i < 1_000; i++) {
            String path = "/" + hostile();
            MockHttpServletRequest request = new MockHttpServletRequest("GET", path);
            request.addHeader("Accept", hostile());
            MockHttpServletResponse response = new MockHttpServletResponse();
            new ProblemResponseWriter().write(request, response, List.of(new PolicyDecision(policy, denial)));

            assertThat(response.getContentAsString()).isNotEmpty().matches("[ -~\n]*");
            if ("application/problem+json".equals(response.getContentType())) {
                assertThat(json.readTree(response.getContentAsString())
                                .get("instance")
                                .asString())
                        .isEqualTo(path);
            }
        }
    }

    private String send(String path, String key, String accept) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream()
                    .write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Api-Key: " + key
                                    + "\r\nAccept: " + accept + "\r\n\r\n")
                            .getBytes(ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
        }
    }

    private static String percentEncoded(String text) {
        StringBuilder encoded = new StringBuilder();
        for (byte each : text.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
            encoded.append(String.format("%%%02x", each));
        }
        return encoded.toString();
    }

    /** Line breaks would end the client's own header, and are nobody's problem but its own. */
    private static String headerValue(String text) {
        return text.replaceAll("[\r\n\u0000]", "");
    }
}
