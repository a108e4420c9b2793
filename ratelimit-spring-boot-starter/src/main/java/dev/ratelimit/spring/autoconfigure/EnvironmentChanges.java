package dev.ratelimit.spring.autoconfigure;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.event.GenericApplicationListener;
import org.springframework.core.ResolvableType;
import org.springframework.core.env.ConfigurableEnvironment;

/** Has policies follow the environment where Spring Cloud, which is known by name only, says that it has changed. */
record EnvironmentChanges(ObjectProvider<LivePolicies> policies, ConfigurableEnvironment environment)
        implements GenericApplicationListener {
    private static final String CHANGED = "org.springframework.cloud.context.environment.EnvironmentChangeEvent";

    /** Of other events, which are many, this hears nothing. */
    @Override
    public boolean supportsEventType(ResolvableType type) {
        return CHANGED.equals(type.toClass().getName());
    }

    @Override
    public void onApplicationEvent(ApplicationEvent event) {
        policies.ifAvailable(live -> live.follow(environment));
    }
}
