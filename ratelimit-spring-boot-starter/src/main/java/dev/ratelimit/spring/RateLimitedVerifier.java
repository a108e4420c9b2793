package dev.ratelimit.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Reads every {@link RateLimited} at start-up, those of lazy beans too, so that a mistake in one stops the start and not
 * the first call; and refuses those that a proxy cannot put in force.
 */
public final class RateLimitedVerifier implements SmartInitializingSingleton {
    private final ConfigurableListableBeanFactory beans;
    private final RateLimitedAdvisor advisor;

    /** Creates the verifier of all beans in {@code beans}. */
    public RateLimitedVerifier(ConfigurableListableBeanFactory beans, RateLimitedAdvisor advisor) {
        this.beans = beans;
        this.advisor = advisor;
    }

    @Override
    public void afterSingletonsInstantiated() {
        for (String name : beans.getBeanDefinitionNames()) {
            Class<?> type = AutoProxyUtils.determineTargetClass(beans, name);
            if (type != null && AnnotationUtils.isCandidateClass(type, RateLimited.class)) {
                Class<?> userType = ClassUtils.getUserClass(type);
                ReflectionUtils.doWithMethods(userType, method -> verify(method, userType));
            }
        }
    }

    private void verify(Method method, Class<?> type) {
        if (!RateLimitedCalls.isLimited(method, type)) {
            return;
        }
        int unreachable = method.getModifiers() & (Modifier.PRIVATE | Modifier.FINAL | Modifier.STATIC);
        if (unreachable != 0) {
            throw new InvalidRateLimitException(
                    "@RateLimited on " + type.getName() + '.' + method.getName(),
                    "would be ignored, as a proxy cannot stand in front of a method that is "
                            + Modifier.toString(unreachable));
        }
        advisor.calls().get().of(method, type);
    }
}
