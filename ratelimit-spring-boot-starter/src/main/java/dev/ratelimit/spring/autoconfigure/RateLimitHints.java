package dev.ratelimit.spring.autoconfigure;

import java.lang.reflect.RecordComponent;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.ReflectionHints;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.aot.hint.TypeReference;
import org.springframework.core.ResolvableType;

/** Keeps for a native image what no bean definition tells of; what is of Redis or of a servlet container may be absent. */
final class RateLimitHints implements RuntimeHintsRegistrar {

    @Override
    public void registerHints(RuntimeHints hints, @Nullable ClassLoader loader) {
        hints.resources().registerPattern("dev/ratelimit/spring/redis/bucket.lua");
        hints.proxies().registerJdkProxy(TypeReference.of("jakarta.servlet.http.HttpServletRequest"));
        hints.reflection()
                .registerTypeIfPresent(
                        loader,
                        "org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory",
                        factory -> factory.withField("configuration"));
        registerRecords(hints.reflection(), ResolvableType.forClass(RateLimitProperties.class));
    }

    /** Boot sees to most constructors, but not to those in files of their own; and components tell what is unknown. */
    private static void registerRecords(ReflectionHints hints, ResolvableType type) {
        Class<?> known = type.resolve(Object.class);
        if (known.isRecord()) {
            hints.registerType(
                    known, MemberCategory.INVOKE_DECLARED_METHODS, MemberCategory.INVOKE_DECLARED_CONSTRUCTORS);
            for (RecordComponent component : known.getRecordComponents()) {
                registerRecords(hints, ResolvableType.forType(component.getGenericType()));
            }
        }
        for (ResolvableType generic : type.getGenerics()) {
            registerRecords(hints, generic);
        }
    }
}
