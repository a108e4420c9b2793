package org.springframework.cloud.context.environment;

import java.util.Set;
import org.springframework.context.ApplicationEvent;

/** Stands in for that of Spring Cloud, which is known by its name. */
public final class EnvironmentChangeEvent extends ApplicationEvent {
    private static final long serialVersionUID = 1L;

    /** Creates the event of a change of those properties. */
    public EnvironmentChangeEvent(Set<String> keys) {
        super(keys);
    }
}
