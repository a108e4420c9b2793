package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.Keys;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.servlet.ServletWebServerFactory;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.RouterFunctions;
import org.springframework.web.servlet.function.ServerResponse;

@ExtendWith(OutputCaptureExtension.class)
class ForwardHeadersStrategyTest {
    private static final String SPOOFED = "198.51.100.7";
    private static final String CLIENT = "203.0.113.9";
    private static final String PEER = "127.0.0.1";

    private final HttpClient client = HttpClient.newHttpClient();

    private static ConfigurableApplicationContext start(String... properties) {
        return start(new TomcatServletWebServerFactory(), properties);
    }

    private static ConfigurableApplicationContext start(ServletWebServerFactory server, String... properties) {
        String[] arguments = new String[properties.length];
        for (int i = 0; i < properties.length; i++) {
            arguments[i] = "--" + properties[i];
        }
        return new SpringApplicationBuilder(Application.class)
                .initializers((GenericApplicationContext context) ->
                        context.registerBean("server", ServletWebServerFactory.class, () -> server))
                .properties(
                        "server.port=0",
                        "spring.main.banner-mode=off",
                        "ratelimit.policies.api.limits=5/1m",
                        "ratelimit.policies.api.key=ip",
                        "ratelimit.policies.api.paths=/filtered",
                        "ratelimit.policies.secret.limits=5/1m",
                        "ratelimit.policies.secret.key=header:X-Api-Key",
                        "ratelimit.policies.secret.paths=/header")
                .run(arguments);
    }

    private HttpResponse<String> get(ConfigurableApplicationContext app, String path, String... headers)
            throws Exception {
        URI uri = URI.create("http://" + PEER + ":" + app.getEnvironment().getProperty("local.server.port") + path);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri);
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), BodyHandlers.ofString());
    }

    @ParameterizedTest
    @CsvSource({
        "none, 127.0.0.0/8, 203.0.113.9",
        "none, 10.0.0.0/8, 127.0.0.1",
        "native, 127.0.0.0/8, 203.0.113.9",
        "native, 10.0.0.0/8, 127.0.0.1",
        "framework, 127.0.0.0/8, 203.0.113.9",
        "framework, 10.0.0.0/8, 127.0.0.1"
    })
    void makesNoDifferenceToTheKeyOnTomcat(String strategy, String trusted, String address) throws Exception {
        makesNoDifference(new TomcatServletWebServerFactory(), strategy, trusted, address);
    }

    @ParameterizedTest
    @CsvSource({
        "none, 127.0.0.0/8, 203.0.113.9",
        "none, 10.0.0.0/8, 127.0.0.1",
        "native, 127.0.0.0/8, 203.0.113.9",
        "native, 10.0.0.0/8, 127.0.0.1",
        "framework, 127.0.0.0/8, 203.0.113.9",
        "framework, 10.0.0.0/8, 127.0.0.1"
    })
    void makesNoDifferenceToTheKeyOnJetty(String strategy, String trusted, String address) throws Exception {
        makesNoDifference(new JettyServletWebServerFactory(), strategy, trusted, address);
    }

    private void makesNoDifference(ServletWebServerFactory server, String strategy, String trusted, String address)
            throws Exception {
        try (ConfigurableApplicationContext app = start(
                server,
                "server.forward-headers-strategy=" + strategy,
                "ratelimit.client-address.trusted-proxies=" + trusted)) {
            String key = Keys.of("ip", address);
            assertThat(get(app, "/key", "X-Forwarded-For", SPOOFED + ", " + CLIENT)
                            .body())
                    .isEqualTo(key);
            assertThat(get(app, "/key", "X-Forwarded-For", SPOOFED, "X-Forwarded-For", CLIENT)
                            .body())
                    .isEqualTo(key);
            assertThat(get(app, "/key").body()).isEqualTo(Keys.of("ip", PEER));
            assertThat(get(app, "/key", "Forwarded", "for=" + SPOOFED).body()).isEqualTo(Keys.of("ip", PEER));
            for (int i = 0; i < 20; i++) {
                assertThat(get(app, "/filtered", "X-Forwarded-For", "192.0.2." + i + ", " + CLIENT)
                                .statusCode())
                        .isEqualTo(i < 5 ? 200 : 429);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"none, false", "native, true", "framework, true", "FRAMEWORK, true"})
    void isWarnedOfWhereNoProxyIsTrusted(String strategy, boolean warned, CapturedOutput output) throws Exception {
        try (ConfigurableApplicationContext app = start("server.forward-headers-strategy=" + strategy)) {
            assertThat(get(app, "/key", "X-Forwarded-For", CLIENT).body()).isEqualTo(Keys.of("ip", PEER));
        }
        assertThat(output.getOut().split("RATELIMIT-W01", -1)).hasSize(warned ? 2 : 1);
    }

    @Test
    void isNotWarnedOfWhereProxiesAreTrusted(CapturedOutput output) {
        start("server.forward-headers-strategy=framework", "ratelimit.client-address.trusted-proxies=10.0.0.0/8")
                .close();

        assertThat(output).doesNotContain("RATELIMIT-W01");
    }

    @Test
    void readsTheStandardHeaderBelowTomcatsValve() throws Exception {
        try (ConfigurableApplicationContext app = start(
                "server.forward-headers-strategy=native",
                "ratelimit.client-address.header=Forwarded",
                "ratelimit.client-address.trusted-proxies=127.0.0.1")) {
            assertThat(get(app, "/key", "X-Forwarded-For", SPOOFED, "Forwarded", "for=\"[2001:db8::1]:80\"")
                            .body())
                    .isEqualTo(Keys.of("ip", "2001:db8:0:0::/56"));
        }
    }

    @Test
    void tellsNobodyWhatAClientSent(CapturedOutput output) throws Exception {
        String canary = "canary-4711";
        try (ConfigurableApplicationContext app =
                start("logging.level.dev.ratelimit=trace", "ratelimit.key-secret=" + canary + "-secret")) {
            for (int i = 0; i < 7; i++) {
                HttpResponse<String> response = get(app, "/header", "X-Api-Key", canary);
                assertThat(response.statusCode()).isEqualTo(i < 5 ? 200 : 429);
                assertThat(response.headers().map() + response.body()).doesNotContain(canary);
            }
        }
        assertThat(output).doesNotContain(canary);
    }

    /** Tells which key a request has. */
    @EnableAutoConfiguration
    static class Application {

        @Bean
        RouterFunction<ServerResponse> routes(RequestRules rules) {
            RequestKey key = rules.rules().get(0).key();
            return RouterFunctions.route()
                    .GET("/key", request -> ServerResponse.ok().body(key.of(request.servletRequest())))
                    .GET("/{path}", request -> ServerResponse.ok().build())
                    .build();
        }
    }
}
