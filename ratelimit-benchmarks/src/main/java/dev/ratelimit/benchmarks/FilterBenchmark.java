package dev.ratelimit.benchmarks;

import dev.ratelimit.spring.web.RateLimitFilter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.core.env.MapPropertySource;
import org.springframework.mock.web.MockServletContext;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;

/** A request that is allowed, through the filter as Boot sets it up and without a server, by one thread. */
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init")
public class FilterBenchmark extends NanosPerDecision {

    /** What comes in: an everyday request, or 8 KiB of path and 100 headers. */
    public enum Incoming {
        SHORT,
        LONG;

        LeanRequest request() {
            int more = this == LONG ? 97 : 0;
            List<String> headers =
                    new ArrayList<>(List.of("Host", "localhost", "User-Agent", "benchmark", "Accept", "*/*"));
            for (int i = 0; i < more; i++) {
                headers.add("X-Header-" + i);
                headers.add("some value or other");
            }
            return new LeanRequest("/api/orders" + "/segment".repeat(more * 1024 / 97), headers.toArray(String[]::new));
        }
    }

    @Param({"1", "3"})
    int policies;

    @Param
    Incoming incoming;

    private AnnotationConfigWebApplicationContext context;
    private FilterChain filtered;
    private FilterChain bare;
    private LeanRequest request;
    private LeanResponse response;
    private int handled;

    @Setup
    public void setUp() {
        Map<String, Object> properties = new HashMap<>();
        for (int i = 0; i < policies; i++) {
            properties.put("ratelimit.policies.api" + i + ".limits", "300000000/1s burst 1000000000000");
            properties.put("ratelimit.policies.api" + i + ".key", "ip");
            properties.put("ratelimit.policies.api" + i + ".paths", "/api/**");
        }
        context = new AnnotationConfigWebApplicationContext();
        context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("benchmark", properties));
        context.setServletContext(new MockServletContext());
        context.register(Application.class);
        context.refresh();

        bare = (incomingRequest, outgoingResponse) -> handled++;
        filtered = bare;
        context.getBeanProvider(new ParameterizedTypeReference<FilterRegistrationBean<RateLimitFilter>>() {})
                .forEach(each -> filtered = inFrontOf(filtered, Objects.requireNonNull(each.getFilter())));
        request = incoming.request();
        response = new LeanResponse();
    }

    /** The order of several does not matter here, for all let the request through. */
    private static FilterChain inFrontOf(FilterChain chain, RateLimitFilter filter) {
        return (incomingRequest, outgoingResponse) -> filter.doFilter(incomingRequest, outgoingResponse, chain);
    }

    @TearDown
    public void tearDown() {
        context.close();
    }

    @Benchmark
    public int bare() throws IOException, ServletException {
        bare.doFilter(request.next(), response);
        return handled;
    }

    /** What a filter can't do without: to say what is left, which is another number each time. */
    @Benchmark
    public int bareWithHeaders() throws IOException, ServletException {
        StringBuilder state = new StringBuilder(48 * policies);
        for (int i = 0; i < policies; i++) {
            state.append(i == 0 ? "" : ", ")
                    .append("\"api0\";r=")
                    .append(999_999_000_000L + handled)
                    .append(";t=1");
        }
        response.setHeader("RateLimit-Policy", "\"api0\";q=1000000000000;w=3334");
        response.setHeader("RateLimit", state.toString());
        bare.doFilter(request.next(), response);
        return handled;
    }

    @Benchmark
    public int filter() throws IOException, ServletException {
        filtered.doFilter(request.next(), response);
        return handled;
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}
}
