package dev.ratelimit.spring;

import java.lang.reflect.Method;
import java.util.Map;
import org.springframework.aop.ClassFilter;
import org.springframework.util.ConcurrentReferenceHashMap;
import org.springframework.util.ConcurrentReferenceHashMap.ReferenceType;
import org.springframework.util.ReflectionUtils;

/**
 * Types that have a {@link RateLimited} anywhere, or inherit from one that has. All others, which most beans of most
 * applications are, need not be searched method by method for what each overrides. Thread-safe.
 */
final class MentioningTypes implements ClassFilter {

    /** Of types that many others inherit from; it lasts no longer than a start does. */
    private final Map<Class<?>, Boolean> known = new ConcurrentReferenceHashMap<>(256, ReferenceType.WEAK);

    @Override
    public boolean matches(Class<?> type) {
        Boolean found = known.get(type);
        if (found == null) {
            found = isMentionedIn(type) || inherits(type);
            known.put(type, found);
        }
        return found;
    }

    private static boolean isMentionedIn(Class<?> type) {
        if (RateLimitedCalls.mentions(type)) {
            return true;
        }
        for (Method method : ReflectionUtils.getDeclaredMethods(type)) {
            if (RateLimitedCalls.mentions(method)) {
                return true;
            }
        }
        return false;
    }

    private boolean inherits(Class<?> type) {
        Class<?> parent = type.getSuperclass();
        if (parent != null && parent != Object.class && matches(parent)) {
            return true;
        }
        for (Class<?> each : type.getInterfaces()) {
            if (matches(each)) {
                return true;
            }
        }
        return false;
    }
}
