package dev.ratelimit.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.stream.Stream;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
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
            if (type != null && Proxy.isProxyClass(type)) {
                Stream.of(type.getInterfaces()).forEach(this::verify);
            } else if (type != null) {
                verify(ClassUtils.getUserClass(type));
            }
        }
    }

    private void verify(Class<?> type) {
        ReflectionUtils.doWithMethods(type, method -> verify(method, type), ReflectionUtils.USER_DECLARED_METHODS);
    }

    /** What a type inherits is not held against an annotation on the type. */
    private void verify(Method method, Class<?> type) {
        if (!RateLimitedCalls.isLimited(method, type)) {
            return;
        }
        int unreachable = method.getModifiers() & (Modifier.PRIVATE | Modifier.FINAL | Modifier.STATIC);
        if (unreachable == 0) {
            advisor.calls().get().of(method, type);
        } else if (method.getDeclaringClass() == type || RateLimitedCalls.isLimited(method)) {
            throw new InvalidRateLimitException(
                    "@RateLimited on " + type.getName() + '.' + method.getName(),
                    "would be ignored, as a proxy cannot stand in front of a method that is "
                            + Modifier.toString(unreachable));
        }
    }
}
