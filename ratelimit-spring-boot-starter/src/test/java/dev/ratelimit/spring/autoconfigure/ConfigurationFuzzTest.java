package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.RequestSkip;
import dev.ratelimit.spring.TokenCost;
import dev.ratelimit.spring.web.RateLimitFilter;
import jakarta.servlet.FilterChain;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.core.env.MapPropertySource;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.mock.web.MockServletContext;
import org.springframework.web.context.support.AnnotationConfigWebApplicationContext;

/** Whatever is written into application.yml: it stops the start and is named there, or it holds. */
class ConfigurationFuzzTest {
    private static final int CONFIGURATIONS = 10_000;
    private static final int MANY = 40;

    private final AnnotationConfigWebApplicationContext context = new AnnotationConfigWebApplicationContext();
    private String[] ours = {};

    @BeforeEach
    void start() {
        context.setServletContext(new MockServletContext());
        context.register(Application.class);
        context.refresh();
        // all but the annotation's, which look at every bean there is and at no property
        ours = Stream.of(context.getBeanDefinitionNames())
                .filter(name -> context.getBean(name).getClass().getName().startsWith("dev.ratelimit.")
                        || name.startsWith("rateLimit"))
                .filter(name -> !name.equals("clock") && !name.startsWith("rateLimited"))
                .toArray(String[]::new);
        context.getEnvironment()
                .getPropertySources()
                .forEach(source -> context.getEnvironment().getPropertySources().remove(source.getName()));
    }

    @AfterEach
    void stop() {
        context.close();
    }

    @Test
    void namesWhatIsWrongOrEnforcesWhatIsMeant() {
        int enforced = 0;
        int refused = 0;
        for (int seed = 0; seed < CONFIGURATIONS; seed++) {
            RandomConfiguration configuration = new RandomConfiguration(seed);
            String failure = restart(configuration);
            if (configuration.broken().isEmpty()) {
                assertThat(failure).as("%d: %s", seed, configuration).isEmpty();
                long requests = Math.min(configuration.admits(), MANY) + 2;
                assertThat(admitted(requests))
                        .as("%d: %s", seed, configuration)
                        .isEqualTo(Math.min(configuration.admits(), requests));
                enforced += configuration.admits() < requests ? 1 : 0;
            } else {
                assertThat(configuration.broken())
                        .as("%d: %s in %s", seed, configuration, failure)
                        .anyMatch(failure::contains);
                refused++;
            }
        }
        assertThat(enforced).isGreaterThan(CONFIGURATIONS / 10);
        assertThat(refused).isGreaterThan(CONFIGURATIONS / 10);
    }

    /** Makes all of this library's beans anew, and returns what went wrong, which is nothing if all is well. */
    private String restart(RandomConfiguration configuration) {
        for (String name : ours) {
            ((DefaultListableBeanFactory) context.getBeanFactory()).destroySingleton(name);
        }
        context.getEnvironment()
                .getPropertySources()
                .addFirst(new MapPropertySource("random", configuration.properties()));
        try {
            context.getBeanFactory().preInstantiateSingletons();
            return "";
        } catch (RuntimeException e) {
            return messages(e);
        }
    }

    private static String messages(@Nullable Throwable e) {
        return e == null ? "" : e.getMessage() + '\n' + messages(e.getCause());
    }

    /** Returns how many of that many requests reach the handler while no time passes. */
    private long admitted(long requests) {
        AtomicLong admitted = new AtomicLong();
        FilterChain chain = (request, response) -> admitted.incrementAndGet();
        List<RateLimitFilter> filters =
                context
                        .getBeanProvider(new ParameterizedTypeReference<FilterRegistrationBean<RateLimitFilter>>() {})
                        .stream()
                        .map(FilterRegistrationBean::getFilter)
                        .toList();
        for (RateLimitFilter filter : filters) {
            FilterChain next = chain;
            chain = (request, response) -> filter.doFilter(request, response, next);
        }
        for (long i = 0; i < requests; i++) {
            try {
                chain.doFilter(new MockHttpServletRequest("GET", "/api/orders"), new MockHttpServletResponse());
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
        return admitted.get();
    }

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration({RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class})
    static class Application {

        @Bean
        static ManualClock clock() {
            return new ManualClock(0);
        }

        @Bean
        static KeyResolver tenant() {
            return request -> "acme";
        }

        @Bean
        static PlanResolver plan() {
            return request -> "pro";
        }

        @Bean
        static TokenCost two() {
            return request -> 2;
        }

        @Bean
        static RequestSkip nobody() {
            return request -> false;
        }
    }
}
