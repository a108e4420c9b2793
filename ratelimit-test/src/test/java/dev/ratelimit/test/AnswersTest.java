package dev.ratelimit.test;

import static dev.ratelimit.test.RateLimitAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.get;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.resttestclient.autoconfigure.AutoConfigureRestTestClient;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.web.servlet.MockMvc;
import org.springframework.test.web.servlet.assertj.MockMvcTester;
import org.springframework.test.web.servlet.client.RestTestClient;

/** Every client's answer says the same, and AssertJ's own assertions are still there beside ours. */
@SpringBootTest(
        webEnvironment = WebEnvironment.RANDOM_PORT,
        properties = {"ratelimit.policies.api.limits=2/1m", "ratelimit.policies.api.paths=/filtered"})
@AutoConfigureMockMvc
@AutoConfigureRestTestClient
@DirtiesContext(classMode = DirtiesContext.ClassMode.AFTER_EACH_TEST_METHOD)
class AnswersTest {

    @Autowired
    private MockMvcTester mvc;

    @Autowired
    private MockMvc mockMvc;

    @Autowired
    private RestTestClient client;

    @LocalServerPort
    private int port;

    @BeforeEach
    void oneIsLeft() {
        assertThat(mvc.get().uri("/filtered").exchange()).isAllowed().remaining(1);
    }

    @Test
    void ofMockMvcTester() {
        assertThat(mvc.get().uri("/filtered")).isAllowed().remaining(0);
        assertThat(mvc.get().uri("/filtered"))
                .isRateLimited()
                .retryAfter(30)
                .remaining(0)
                .violates("api");
        mvc.get().uri("/filtered").assertThat().hasStatus(429);
    }

    @Test
    void ofMockMvc() throws Exception {
        mockMvc.perform(get("/filtered"))
                .andExpect(result -> assertThat(result).isAllowed().remaining(0));
        mockMvc.perform(get("/filtered"))
                .andExpect(result ->
                        assertThat(result).isRateLimited().retryAfter(30).violates("api"));
    }

    @Test
    void ofRestTestClient() {
        assertThat(client.get().uri("/filtered").exchange().returnResult(String.class))
                .isAllowed()
                .remaining(0);
        assertThat(client.get().uri("/filtered").exchange().returnResult(String.class))
                .isRateLimited()
                .retryAfter(30)
                .violates("api");
    }

    @Test
    void ofTheJdksClient() throws Exception {
        HttpClient http = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/filtered"))
                .build();

        assertThat(http.send(request, BodyHandlers.discarding())).isAllowed().remaining(0);
        assertThat(http.send(request, BodyHandlers.ofString())).violates("api").retryAfter(30);
        assertThat(http.send(request, BodyHandlers.ofByteArray()))
                .isRateLimited()
                .violates("api");
        assertThat(request.method()).isEqualTo("GET");
    }
}
