package dev.ratelimit.benchmarks;

import dev.ratelimit.spring.RateLimited;
import java.util.Map;
import java.util.stream.IntStream;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.MapPropertySource;

/** A call that is allowed, through the proxy as Boot makes it and outside a web request, by one thread. */
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init")
public class AdviceBenchmark extends NanosPerDecision {
    private static final String UNLIMITED = "300000000/1s burst 1000000000000";
    private static final int TENANTS = 1 << 10;

    private AnnotationConfigApplicationContext context;
    private Service bare;
    private Service limited;
    private Report[] reports;
    private int next;

    /** What is called. */
    public static class Service {

        public String bare() {
            return "done";
        }

        @RateLimited("calls")
        public String limited() {
            return "done";
        }

        @RateLimited(limit = UNLIMITED, key = "#report.tenant")
        public String limitedByTenant(Report report) {
            return report.tenant();
        }
    }

    /** An argument that says whose call it is. */
    public record Report(String tenant) {}

    @Setup
    public void setUp() {
        context = new AnnotationConfigApplicationContext();
        context.getEnvironment()
                .getPropertySources()
                .addFirst(new MapPropertySource("benchmark", Map.of("ratelimit.policies.calls.limits", UNLIMITED)));
        context.register(Application.class);
        context.refresh();

        limited = context.getBean(Service.class);
        ProxyFactory proxies = new ProxyFactory(new Service());
        proxies.addAdvice((MethodInterceptor) MethodInvocation::proceed);
        bare = (Service) proxies.getProxy();
        reports = IntStream.range(0, TENANTS)
                .mapToObj(tenant -> new Report("tenant-" + tenant))
                .toArray(Report[]::new);
    }

    @TearDown
    public void tearDown() {
        context.close();
    }

    /** A proxy whose advice does nothing but go on. */
    @Benchmark
    public String bare() {
        return bare.bare();
    }

    @Benchmark
    public String limited() {
        return limited.limited();
    }

    @Benchmark
    public String bareByTenant() {
        return bare.limitedByTenant(reports[next++ & TENANTS - 1]);
    }

    @Benchmark
    public String limitedByTenant() {
        return limited.limitedByTenant(reports[next++ & TENANTS - 1]);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {
        @Bean
        Service service() {
            return new Service();
        }
    }
}
