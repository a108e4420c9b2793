package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Keys;
import jakarta.servlet.http.Cookie;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.mock.web.MockHttpServletRequest;

class RequestKeysTest {
    private static final String SECRET = "a secret of ours";
    private static final String CANARY = "canary-4711";
    private static final Map<String, KeyResolver> RESOLVERS = Map.of(
            "tenant", request -> request.getHeader("Tenant"),
            "blank", request -> "",
            "angry",
                    request -> {
                        throw new IllegalStateException(CANARY);
                    });

    private final RequestKeys keys = keys(SECRET);

    private static RequestKeys keys(@Nullable String secret) {
        ClientAddress client = new ClientAddress(List.of(), ForwardedHeader.X_FORWARDED_FOR, 56);
        return new RequestKeys(RESOLVERS, client, secret);
    }

    private static MockHttpServletRequest request() {
        return new MockHttpServletRequest();
    }

    private static MockHttpServletRequest login(String name) {
        MockHttpServletRequest request = request();
        request.setUserPrincipal(() -> name);
        return request;
    }

    private static MockHttpServletRequest header(String value) {
        MockHttpServletRequest request = request();
        request.addHeader("X-Api-Key", value);
        return request;
    }

    private static MockHttpServletRequest cookie(String value) {
        MockHttpServletRequest request = request();
        request.setCookies(new Cookie("session", value));
        return request;
    }

    private RequestKey key(String... parts) {
        return keys.of(List.of(parts), "property");
    }

    @ParameterizedTest
    @ValueSource(strings = {"header:X-Api-Key", "cookie:session", "tenant", "blank", "angry", "principal"})
    void fallsBackToThePrincipalThenTheAddressThenToTheBucketOfAll(String part) {
        MockHttpServletRequest unknown = request();
        unknown.setRemoteAddr("");

        assertThat(key(part).of(login("alice"))).isEqualTo(Keys.of("principal", "alice"));
        assertThat(key(part).of(request())).isEqualTo(Keys.of("ip", "127.0.0.1"));
        assertThat(key(part).of(login(""))).isEqualTo(Keys.of("ip", "127.0.0.1"));
        assertThat(key(part).of(unknown)).isEqualTo(Keys.UNATTRIBUTED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tenant", "blank", "angry"})
    void admitsWhomAResolverDoesNotKnowNoMoreThanItsShare(String resolver) {
        assertThat(admitted(key(resolver), 100, i -> request())).isEqualTo(5);
    }

    @Test
    void keepsWhatAClientSendsToItself() {
        assertThat(key("header:X-Api-Key").of(header(CANARY)))
                .isEqualTo(Keys.of("header", "X-Api-Key", "GCY38yGcY4wLgyzi8E44A7Nl63oDq9Rw3Cv69TuB_0g"));
        assertThat(key("cookie:session").of(cookie(CANARY)))
                .startsWith("6:cookie7:session43:")
                .doesNotContain(CANARY);
    }

    @Test
    void agreesWithOtherProcessesThatHaveTheSameSecret() {
        List<String> part = List.of("header:X-Api-Key");
        String key = keys.of(part, "property").of(header(CANARY));

        assertThat(keys(SECRET).of(part, "property").of(header(CANARY))).isEqualTo(key);
        assertThat(keys("another secret of ours").of(part, "property").of(header(CANARY)))
                .isNotEqualTo(key);
        assertThat(keys(null).of(part, "property").of(header(CANARY)))
                .isNotEqualTo(key)
                .isNotEqualTo(keys(null).of(part, "property").of(header(CANARY)));
    }

    @Test
    void joinsPartsToOneKey() {
        RequestKey both = key("principal", "ip");
        MockHttpServletRequest elsewhere = login("alice");
        elsewhere.setRemoteAddr("192.0.2.1");

        assertThat(both.of(login("alice"))).isEqualTo(Keys.of("principal", "alice") + Keys.of("ip", "127.0.0.1"));
        assertThat(List.of(
                        both.of(login("alice")),
                        both.of(elsewhere),
                        both.of(login("bob")),
                        both.of(login("alice2:ip9:127.0.0.1")),
                        both.of(request()),
                        key("ip", "principal").of(login("alice"))))
                .doesNotHaveDuplicates();
    }

    @Test
    void needsTheUserWhereOnePartDoes() {
        assertThat(List.of("principal", "tenant")).allMatch(part -> key(part).needsUser());
        assertThat(List.of("ip", "global", "header:X-Api-Key", "cookie:session"))
                .noneMatch(part -> key(part).needsUser());
        assertThat(key("ip", "principal").needsUser()).isTrue();
        assertThat(key("ip", "header:X-Api-Key").needsUser()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(ints = {65_600, 1 << 20})
    void limitsGiantKeysLikeOthers(int length) {
        String giant = "x".repeat(length);

        assertThat(key("header:X-Api-Key").of(header(giant)))
                .hasSize(key("header:X-Api-Key").of(header("x")).length());
        assertThat(admitted(key("header:X-Api-Key"), 100, i -> header(giant))).isEqualTo(5);
        assertThat(admitted(key("cookie:session"), 100, i -> cookie(giant))).isEqualTo(5);
        assertThat(admitted(key("principal"), 100, i -> login(giant))).isEqualTo(5);
        assertThat(admitted(key("header:X-Api-Key"), 100, i -> header(giant + i % 2)))
                .isEqualTo(10);
        assertThat(admitted(key("principal"), 100, i -> login(giant + i % 2))).isEqualTo(10);
    }

    @Test
    void knowsAUserByTheNameWhateverTheCredentialsLookLike() {
        List<String> spellings = List.of(
                "Basic YTpi",
                "basic YTpi",
                "BASIC YTpi",
                "Basic  YTpi",
                "Basic YTpi=",
                " Basic YTpi",
                "Bearer a",
                "bearer a");

        assertThat(admitted(key("principal"), 100, i -> {
                    MockHttpServletRequest request = login("alice");
                    request.addHeader("Authorization", spellings.get(i % spellings.size()));
                    return request;
                }))
                .isEqualTo(5);
    }

    private static int admitted(RequestKey key, int tries, IntFunction<MockHttpServletRequest> requests) {
        RateLimiter limiter =
                LocalRateLimiter.builder().clock(new ManualClock(9)).build();
        Policy policy = Policy.of("api", Limit.parse("5/1m"));
        int admitted = 0;
        for (int i = 0; i < tries; i++) {
            admitted += limiter.tryConsume(policy, key.of(requests.apply(i)), 1).allowed() ? 1 : 0;
        }
        return admitted;
    }
}
