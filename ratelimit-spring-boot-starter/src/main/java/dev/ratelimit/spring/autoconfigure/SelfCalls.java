package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.RateLimited;
import dev.ratelimit.spring.RateLimitedAdvisor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.asm.ClassReader;
import org.springframework.asm.ClassVisitor;
import org.springframework.asm.Handle;
import org.springframework.asm.MethodVisitor;
import org.springframework.asm.Opcodes;
import org.springframework.asm.SpringAsmInfo;
import org.springframework.asm.Type;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Looks at start-up for beans that call a {@link RateLimited} method on themselves, past their proxy, and logs each once.
 *
 * <p>It reads the class file of a bean with such methods. There it can be seen that a method of the class is called, but not
 * on which object; so it says nothing about a class that could have got hold of another object of its own type, such as its
 * own proxy: by a field, a parameter, a cast, a constructor or what a method returns.
 */
final class SelfCalls implements SmartInitializingSingleton {
    private static final Log LOG = LogFactory.getLog(SelfCalls.class);

    /** Before the name of the method whose lambda it is, and a number behind that. */
    private static final String LAMBDA = "lambda$";

    private final ConfigurableListableBeanFactory beans;
    private final RateLimitedAdvisor advisor;

    SelfCalls(ConfigurableListableBeanFactory beans, RateLimitedAdvisor advisor) {
        this.beans = beans;
        this.advisor = advisor;
    }

    @Override
    public void afterSingletonsInstantiated() {
        Set<Class<?>> types = new LinkedHashSet<>();
        for (String name : beans.getBeanDefinitionNames()) {
            Class<?> type = AutoProxyUtils.determineTargetClass(beans, name);
            if (type != null && !type.isInterface() && advisor.getClassFilter().matches(type)) {
                types.add(ClassUtils.getUserClass(type));
            }
        }
        for (Class<?> type : types) {
            warn(type);
        }
    }

    private void warn(Class<?> type) {
        Set<String> limited = Stream.of(
                        ReflectionUtils.getUniqueDeclaredMethods(type, ReflectionUtils.USER_DECLARED_METHODS))
                .filter(method -> advisor.matches(method, type))
                .map(SelfCalls::signature)
                .collect(Collectors.toSet());
        if (!limited.isEmpty()) {
            in(type, limited)
                    .forEach((caller, called) -> LOG.warn(new Finding(
                            "RATELIMIT-W07",
                            type.getName() + '.' + caller + " calls @RateLimited " + String.join(", ", called)
                                    + " on its own object, past the proxy: such a call is not limited",
                            "move what is limited to a bean of its own")));
        }
    }

    private static String signature(Method method) {
        return method.getName() + Type.getMethodDescriptor(method);
    }

    /** Returns which of the methods {@code limited} are called by which other ones. */
    private static Map<String, Set<String>> in(Class<?> type, Set<String> limited) {
        try (InputStream file = type.getResourceAsStream(ClassUtils.getClassFileName(type))) {
            if (file == null) {
                return Map.of();
            }
            Calls calls = new Calls(Type.getType(type), limited);
            new ClassReader(file).accept(calls, ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
            return calls.uncertain ? Map.of() : calls.found;
        } catch (IOException | RuntimeException e) {
            return Map.of(); // what can't be read can't be told
        }
    }

    /** The calls of a class's own methods in it. */
    private static final class Calls extends ClassVisitor {
        private final Map<String, Set<String>> found = new TreeMap<>();
        private final Type type;
        private final Set<String> limited;
        private boolean uncertain;

        Calls(Type type, Set<String> limited) {
            super(SpringAsmInfo.ASM_VERSION);
            this.type = type;
            this.limited = limited;
        }

        /** Takes note of {@code descriptor}, of something from which objects can come. */
        private void source(String descriptor) {
            uncertain |= descriptor.contains(type.getDescriptor());
        }

        @Override
        public @Nullable MethodVisitor visitMethod(
                int access, String name, String descriptor, String signature, String[] exceptions) {
            if ((access & Opcodes.ACC_BRIDGE) != 0) {
                return null; // is what the compiler has written, and the proxy calls in its place
            }
            source(descriptor.substring(0, descriptor.indexOf(')')));
            return new MethodVisitor(SpringAsmInfo.ASM_VERSION) {
                @Override
                public void visitMethodInsn(int code, String owner, String called, String of, boolean isInterface) {
                    source(of.substring(of.indexOf(')')));
                    if (owner.equals(type.getInternalName())) {
                        call(name, called, of);
                    }
                }

                @Override
                public void visitInvokeDynamicInsn(String called, String of, Handle bootstrap, Object... arguments) {
                    boolean onThis = of.startsWith('(' + type.getDescriptor());
                    for (Object argument : arguments) {
                        if (onThis
                                && argument instanceof Handle handle
                                && handle.getOwner().equals(type.getInternalName())) {
                            call(name, handle.getName(), handle.getDesc());
                        }
                    }
                }

                @Override
                public void visitFieldInsn(int code, String owner, String field, String of) {
                    source(of);
                }

                @Override
                public void visitTypeInsn(int code, String of) {
                    uncertain |= of.equals(type.getInternalName());
                }
            };
        }

        private void call(String caller, String called, String descriptor) {
            if (limited.contains(called + descriptor)) {
                String by =
                        caller.startsWith(LAMBDA) ? caller.substring(LAMBDA.length(), caller.lastIndexOf('$')) : caller;
                found.computeIfAbsent(by, unused -> new TreeSet<>()).add(called);
            }
        }
    }
}
