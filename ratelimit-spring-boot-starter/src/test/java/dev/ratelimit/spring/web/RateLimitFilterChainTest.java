package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.Penalty;
import dev.ratelimit.spring.PolicyLimiter;
import dev.ratelimit.spring.PolicyMode;
import dev.ratelimit.spring.RateLimitCounts;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.Servlet;
import jakarta.servlet.ServletRequestEvent;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.mock.web.MockFilterChain;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.mock.web.MockServletContext;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.util.pattern.PathPatternParser;

/** Several filters in one chain, and one of them several times, whatever dispatch they see first. */
class RateLimitFilterChainTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());
    private final RateLimiter limiter = LocalRateLimiter.builder().clock(clock).build();
    private final RateLimitAnswer answer =
            new RateLimitAnswer(new RequestRules(List.of()), RateLimitFields.NONE, new ProblemResponseWriter());
    private final Policy three = Policy.of("three", Limit.parse("3/1m"));
    private final Policy five = Policy.of("five", Limit.parse("5/1m"));
    private final RateLimitFilter ofThree = filter(three);
    private final RateLimitFilter ofFive = filter(five);
    private final Servlet servlet = new DispatcherServlet() {
        private static final long serialVersionUID = 1L;

        @Override
        public void service(jakarta.servlet.ServletRequest request, jakarta.servlet.ServletResponse response) {}
    };

    private RateLimitFilter filter(Policy policy) {
        return filter(policy, ChargedStatuses.ALL);
    }

    private RateLimitFilter filter(Policy policy, ChargedStatuses chargeOn) {
        return filter(new ConfiguredPolicy(policy, 1), chargeOn);
    }

    private RateLimitFilter filter(ConfiguredPolicy configured, ChargedStatuses chargeOn) {
        ConfiguredPolicies policies = new ConfiguredPolicies(List.of(configured));
        RequestRule rule = new RequestRule(
                configured,
                RequestKey.GLOBAL,
                new RequestPaths(List.of(PathPatternParser.defaultInstance.parse("/api/**")), List.of(), true),
                Set.of(),
                null,
                chargeOn,
                (same, request) -> same.policy(),
                request -> false);
        return new RateLimitFilter(
                new RequestRules(List.of(rule)),
                new PolicyLimiter(limiter, policies, new RateLimitCounts(policies)),
                answer);
    }

    private int send(MockHttpServletRequest request, Filter... filters) throws Exception {
        MockHttpServletResponse response = new MockHttpServletResponse();
        new MockFilterChain(servlet, filters).doFilter(request, response);
        return response.getStatus();
    }

    private static MockHttpServletRequest request() {
        return new MockHttpServletRequest("GET", "/api");
    }

    private long spent(Policy policy) {
        Limit limit = policy.limits().get(0);
        return limit.capacity() - 1 - limiter.peek(policy, Keys.GLOBAL, 1).remaining();
    }

    @Test
    void chargesEachOfTwoFiltersOnce() throws Exception {
        send(request(), ofThree, ofFive, ofThree, ofFive);

        assertThat(spent(three)).isEqualTo(1);
        assertThat(spent(five)).isEqualTo(1);
    }

    @Test
    void givesBackWhatAnEarlierFilterTookWhereALaterOneDenies() throws Exception {
        for (int i = 0; i < 3; i++) {
            assertThat(send(request(), ofFive, ofThree)).isEqualTo(200);
        }
        for (int i = 0; i < 9; i++) {
            assertThat(send(request(), ofFive, ofThree)).isEqualTo(429);
        }

        assertThat(spent(five)).isEqualTo(3);
    }

    @Test
    void givesNothingBackThatHasFlowedInAgain() throws Exception {
        limiter.tryConsume(three, Keys.GLOBAL, 3);
        Filter slow = between(request -> {
            limiter.charge(three, Keys.GLOBAL, 3);
            clock.advance(Duration.ofMinutes(1));
            assertThat(limiter.tryConsume(five, Keys.GLOBAL, 5).allowed()).isTrue();
        });

        assertThat(send(request(), ofFive, slow, ofThree)).isEqualTo(429);

        assertThat(limiter.tryConsume(five, Keys.GLOBAL, 1).allowed()).isFalse();
    }

    @Test
    void givesBackOnceWhateverTheCodeInBetweenAndTheStatusSay() throws Exception {
        limiter.tryConsume(three, Keys.GLOBAL, 3);
        limiter.tryConsume(five, Keys.GLOBAL, 3);
        RateLimitFilter first = filter(five, ChargedStatuses.of(List.of("5xx"), "charge-on"));
        for (long settled : new long[] {0, 1, 2}) {
            MockHttpServletRequest request = request();
            Filter settling = between(each -> RequestCharges.of(each).settle(settled));
            assertThat(send(request, first, settling, ofThree)).isEqualTo(429);
            assertThat(spent(five)).isEqualTo(3);

            end(request);
            RequestCharges.of(request).giveBack();
            assertThat(spent(five)).isEqualTo(3);
        }
    }

    @Test
    void givesBackWhatItTookUnderAPenalty() throws Exception {
        List<Limit> stricter = List.of(Limit.parse("2/1m"));
        Penalty penalty = new Penalty("five", Limit.parse("1/1h"), stricter, Limit.parse("1/1h"));
        RateLimitFilter first =
                filter(new ConfiguredPolicy(five, 1, PolicyMode.ENFORCE, Map.of(), penalty), ChargedStatuses.ALL);
        limiter.tryConsume(five, Keys.GLOBAL, 5);
        assertThat(send(request(), first)).isEqualTo(429);
        clock.advance(Duration.ofMinutes(1));
        limiter.tryConsume(three, Keys.GLOBAL, 3);
        for (int i = 0; i < 9; i++) {
            assertThat(send(request(), first, ofThree)).isEqualTo(429);
        }

        assertThat(send(request(), first)).isEqualTo(200);
        assertThat(send(request(), first)).isEqualTo(200);
        assertThat(send(request(), first)).isEqualTo(429);
    }

    /** Returns a filter that lets everything pass, after it did {@code action}. */
    private static Filter between(Consumer<HttpServletRequest> action) {
        return (request, response, chain) -> {
            action.accept((HttpServletRequest) request);
            chain.doFilter(request, response);
        };
    }

    @ParameterizedTest
    @EnumSource(
            value = DispatcherType.class,
            names = {"REQUEST", "FORWARD", "ASYNC"})
    void chargesTheFirstDispatchThatComesByAndNoOther(DispatcherType first) throws Exception {
        MockHttpServletRequest request = request();
        request.setDispatcherType(first);
        send(request, ofFive);
        for (DispatcherType next : DispatcherType.values()) {
            request.setDispatcherType(next);
            send(request, ofFive);
        }

        assertThat(spent(five)).isEqualTo(1);
    }

    @Test
    void chargesNoForwardOfARequestThatItLetPassUncharged() throws Exception {
        MockHttpServletRequest request = new MockHttpServletRequest("GET", "/other");
        send(request, ofFive);
        request.setDispatcherType(DispatcherType.FORWARD);
        request.setRequestURI("/api");
        send(request, ofFive);

        assertThat(spent(five)).isZero();
    }

    @Test
    void doesNotChargeTheRenderingOfAnErrorThatCameFromInFrontOfIt() throws Exception {
        MockHttpServletRequest request = request();
        request.setAttribute(RequestDispatcher.ERROR_REQUEST_URI, "/denied");
        request.setDispatcherType(DispatcherType.ERROR);
        send(request, ofFive);
        request.setDispatcherType(DispatcherType.FORWARD);
        send(request, ofFive);

        assertThat(spent(five)).isZero();
    }

    /** Jetty tells of the end of each dispatch, and of an asynchronous request there has been no outcome by then. */
    @Test
    void waitsForTheEndOfAnAsynchronousRequestWhereOnlyADispatchHasEnded() throws Exception {
        MockHttpServletRequest request = request();
        MockHttpServletResponse response = new MockHttpServletResponse();
        RateLimitFilter ofFailures = filter(five, ChargedStatuses.of(List.of("5xx"), "charge-on"));
        new MockFilterChain(servlet, ofFailures).doFilter(request, response);
        request.setAsyncSupported(true);
        AsyncContext async = request.startAsync(request, response);
        end(request);
        assertThat(spent(five)).isEqualTo(1);

        async.complete();
        assertThat(spent(five)).isZero();
    }

    /** On Jetty an exception becomes a status in a dispatch of its own. */
    @Test
    void takesTheTokensAgainWhereALaterDispatchSaysSo() throws Exception {
        MockHttpServletRequest request = request();
        MockHttpServletResponse response = new MockHttpServletResponse();
        RateLimitFilter ofFailures = filter(five, ChargedStatuses.of(List.of("5xx"), "charge-on"));
        new MockFilterChain(servlet, ofFailures).doFilter(request, response);
        end(request);
        assertThat(spent(five)).isZero();

        response.setStatus(500);
        end(request);
        end(request);
        assertThat(spent(five)).isEqualTo(1);
    }

    private static void end(MockHttpServletRequest request) {
        new RateLimitOutcome().requestDestroyed(new ServletRequestEvent(new MockServletContext(), request));
    }
}
