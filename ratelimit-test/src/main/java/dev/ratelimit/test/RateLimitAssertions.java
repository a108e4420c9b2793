package dev.ratelimit.test;

import dev.ratelimit.Decision;
import java.net.http.HttpResponse;
import org.assertj.core.api.AssertProvider;
import org.jspecify.annotations.Nullable;
import org.springframework.test.web.servlet.MvcResult;
import org.springframework.test.web.servlet.assertj.MvcTestResultAssert;
import org.springframework.test.web.servlet.client.ExchangeResult;

/**
 * Where assertions about rate limits begin, to be imported beside AssertJ's or in their place.
 *
 * <pre>{@code
 * assertThat(limiter.tryConsume(policies.get("api"), "me", 1)).isAllowed().remaining(4);
 * assertThat(mvc.get().uri("/api/hello")).isRateLimited().retryAfter(12).violates("api");
 * }</pre>
 */
public final class RateLimitAssertions {

    private RateLimitAssertions() {}

    /**
     * Begins assertions about what a limiter answered.
     *
     * @param actual the decision
     * @return the assertions
     */
    public static DecisionAssert assertThat(@Nullable Decision actual) {
        return new DecisionAssert(actual);
    }

    /**
     * Begins assertions about an answer that was received in some other way than those below.
     *
     * @param actual the answer
     * @return the assertions
     */
    public static HttpAnswerAssert assertThat(@Nullable HttpAnswer actual) {
        return new HttpAnswerAssert(actual);
    }

    /**
     * Begins assertions about the answer that {@code MockMvcTester} gives: {@code mvc.get().uri("/")}, which is performed, or
     * what was performed before. Spring's own assertions on it begin with {@code actual.assertThat()}.
     *
     * @param actual the request, or its result
     * @return the assertions
     */
    public static HttpAnswerAssert assertThat(AssertProvider<MvcTestResultAssert> actual) {
        return assertThat(actual.assertThat().doesNotHaveFailed().actual().getMvcResult());
    }

    /**
     * Begins assertions about the answer of {@code MockMvc}, such as in {@code andExpect(result -> assertThat(result)...)}.
     *
     * @param actual the result
     * @return the assertions
     */
    public static HttpAnswerAssert assertThat(MvcResult actual) {
        return assertThat(HttpAnswer.of(actual.getResponse()));
    }

    /**
     * Begins assertions about the answer that {@code RestTestClient} has got.
     *
     * @param actual the result
     * @return the assertions
     */
    public static HttpAnswerAssert assertThat(ExchangeResult actual) {
        return assertThat(HttpAnswer.of(actual));
    }

    /**
     * Begins assertions about the answer that the JDK's client has got; a body that is no text or bytes is not looked at.
     *
     * @param actual the response
     * @return the assertions
     */
    public static HttpAnswerAssert assertThat(HttpResponse<?> actual) {
        return assertThat(HttpAnswer.of(actual));
    }
}
