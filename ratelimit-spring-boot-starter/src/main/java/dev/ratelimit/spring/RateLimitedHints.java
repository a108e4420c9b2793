package dev.ratelimit.spring;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import org.springframework.aot.hint.BindingReflectionHintsRegistrar;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.ReflectionHints;
import org.springframework.aot.hint.annotation.ReflectiveProcessor;
import org.springframework.core.annotation.MergedAnnotation;

/** Keeps for a native image what {@link RateLimited} finds by reflection: methods, fallbacks, and what expressions read. */
final class RateLimitedHints implements ReflectiveProcessor {
    private final BindingReflectionHintsRegistrar properties = new BindingReflectionHintsRegistrar();

    @Override
    public void registerReflectionHints(ReflectionHints hints, AnnotatedElement element) {
        hints.registerType(RateLimited.All.class, MemberCategory.INVOKE_DECLARED_METHODS);
        for (MergedAnnotation<RateLimited> annotation : RateLimitedCalls.annotations(element)) {
            annotation.getMetaTypes().forEach(type -> hints.registerType(type, MemberCategory.INVOKE_DECLARED_METHODS));
            boolean readsArguments = !annotation.getString("key").isEmpty()
                    || !annotation.getString("tokens").isEmpty();
            if (element instanceof Method method) {
                register(hints, method, readsArguments);
            } else if (element instanceof Class<?> type) {
                for (Method method : type.getMethods()) {
                    register(hints, method, readsArguments);
                }
            }
        }
    }

    private void register(ReflectionHints hints, Method method, boolean readsArguments) {
        hints.registerType(method.getDeclaringClass(), MemberCategory.INVOKE_DECLARED_METHODS);
        if (readsArguments) {
            for (Class<?> type : method.getParameterTypes()) {
                hints.registerType(type, MemberCategory.INVOKE_PUBLIC_METHODS);
            }
            properties.registerReflectionHints(hints, method.getGenericParameterTypes());
        }
    }
}
