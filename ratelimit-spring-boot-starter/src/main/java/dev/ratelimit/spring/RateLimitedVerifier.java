package dev.ratelimit.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Reads every {@link RateLimited} at start-up, those of lazy beans too, so that a mistake in one stops the start and not
 * the first call; and refuses those that a proxy cannot put in force.
 *
 * @hidden
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
                Stream.of(type.getInterfaces()).forEach(each -> verify(each, null));
            } else if (type != null) {
                verify(ClassUtils.getUserClass(type), beans.getSingleton(name));
            }
        }
    }

    private void verify(Class<?> type, @Nullable Object bean) {
        if (advisor.getClassFilter().matches(type)) {
            ReflectionUtils.doWithMethods(
                    type, method -> verify(method, type, bean), ReflectionUtils.USER_DECLARED_METHODS);
        }
    }

    /** What a type inherits is not held against an annotation on the type. */
    private void verify(Method method, Class<?> type, @Nullable Object bean) {
        if (!advisor.matches(method, type)) {
            return;
        }
        int unreachable = method.getModifiers() & (Modifier.PRIVATE | Modifier.FINAL | Modifier.STATIC);
        if (unreachable != 0) {
            if (method.getDeclaringClass() == type || RateLimitedCalls.isLimited(method)) {
                throw ignored(method, type, "a method that is " + Modifier.toString(unreachable));
            }
        } else {
            if (bean != null && AopUtils.isJdkDynamicProxy(bean) && !hasInFront(bean, method, type)) {
                throw ignored(
                        method, type, "a method that is in no interface, while spring.aop.proxy-target-class is false");
            }
            advisor.calls().get().of(method, type);
        }
    }

    private static boolean hasInFront(Object proxy, Method method, Class<?> type) {
        return Stream.of(proxy.getClass().getInterfaces())
                .flatMap(each -> Stream.of(each.getMethods()))
                .anyMatch(each -> AopUtils.getMostSpecificMethod(each, type).equals(method));
    }

    private static InvalidRateLimitException ignored(Method method, Class<?> type, String what) {
        return new InvalidRateLimitException(
                RateLimitedCalls.place(method, type), "would be ignored, as a proxy cannot stand in front of " + what);
    }
}
