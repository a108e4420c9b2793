package dev.ratelimit.spring.redis;

import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

/** An application whose limits are in Redis, as a user would configure it. */
final class RedisApp implements AutoCloseable {
    private final ConfigurableApplicationContext context;

    private RedisApp(ConfigurableApplicationContext context) {
        this.context = context;
    }

    /** Starts one with properties, each {@code name=value}. */
    static RedisApp start(String... properties) {
        List<String> arguments = new ArrayList<>(List.of(
                "--spring.main.banner-mode=off", "--logging.level.root=warn", "--logging.level.dev.ratelimit=info"));
        arguments.add("--ratelimit.backend=redis");
        for (String property : properties) {
            arguments.add("--" + property);
        }
        return new RedisApp(new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .run(arguments.toArray(String[]::new)));
    }

    RateLimiter limiter() {
        return context.getBean(RateLimiter.class);
    }

    Policy policy(String name) {
        return context.getBean(ConfiguredPolicies.class).get(name);
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    @Override
    public void close() {
        context.close();
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}
}
