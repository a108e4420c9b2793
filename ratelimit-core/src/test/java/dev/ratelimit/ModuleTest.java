package dev.ratelimit;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Caffeine;
import java.io.File;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiles a module that requires ours, and runs it in a JVM that has no class path, and no JSpecify either. */
class ModuleTest {
    private static final String LIMITED = """
            package limited;

            import dev.ratelimit.*;
            import java.lang.reflect.InaccessibleObjectException;
            import java.time.Duration;

            class Main {
                public static void main(String[] arguments) throws Exception {
                    Limit limit = Limit.of(2, Duration.ofDays(1));
                    RateLimiter limiter = LocalRateLimiter.builder().build();
                    System.out.println(TokenBucket.class.getModule().getName());
                    System.out.println(TokenBucket.of(limit).tryConsume(2).allowed());
                    System.out.println(limiter.tryConsume(Policy.of("api", limit), "client", 3).allowed());
                    try {
                        Class.forName("dev.ratelimit.Gcra").getDeclaredConstructors()[0].setAccessible(true);
                        System.out.println("opened");
                    } catch (InaccessibleObjectException closed) {
                        System.out.println("closed");
                    }
                }
            }
            """;

    @TempDir
    Path folder;

    @Test
    void servesAnotherModuleAndKeepsItOut() throws Exception {
        Path classes = folder.resolve("classes");
        String needed = path(pathOf(TokenBucket.class), pathOf(Caffeine.class));
        compile(
                List.of("-p", path(needed, pathOf(NullMarked.class)), "-d", classes.toString()),
                source("module-info.java", "module limited { requires dev.ratelimit.core; }"),
                source("Main.java", LIMITED));

        String printed = Jvm.run(List.of("-p", path(needed, classes), "-m", "limited/limited.Main"));

        assertThat(printed.lines()).containsExactly("dev.ratelimit.core", "true", "false", "closed");
    }

    private Path source(String name, String text) throws Exception {
        return Files.writeString(folder.resolve(name), text);
    }

    private static void compile(List<String> options, Path... sources) {
        List<String> arguments = new ArrayList<>(options);
        for (Path source : sources) {
            arguments.add(source.toString());
        }
        StringWriter said = new StringWriter();
        PrintWriter out = new PrintWriter(said);
        ToolProvider javac = ToolProvider.findFirst("javac").orElseThrow();
        assertThat(javac.run(out, out, arguments.toArray(String[]::new)))
                .as(said.toString())
                .isZero();
    }

    private static Path pathOf(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }

    private static String path(Object... entries) {
        return Stream.of(entries).map(Object::toString).collect(joining(File.pathSeparator));
    }
}
