package dev.ratelimit.spring.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.redis.RedisProcess;
import java.io.File;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.io.DefaultResourceLoader;

/**
 * An application that is started and closed again and again in one JVM, as in a servlet container or by development tools,
 * leaves no class loader behind. The profile soak does it more often.
 *
 * <p>Each time it has a class loader of its own, with our classes and those of the application. Spring, Tomcat and Netty are
 * shared, as what these hold on to is theirs.
 *
 * <p>The first application and the last are not counted, as there is one of either however often it is started: Boot's shutdown
 * hook is a thread with the class loader of the first, and Netty keeps an exception that says in whose call it was made; the log
 * keeps the environment of the last, and the JDK the last type that it has made a record's {@code equals} for.
 */
class ContextRestartsTest {
    private static final int RESTARTS = Integer.getInteger("soak.restarts", 10);

    @Test
    void leavesNoClassLoaderBehind() throws Exception {
        try (RedisProcess redis = RedisProcess.start()) {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            // what only soft references hold is no leak, but may stay for as long as there is room
                            "-XX:SoftRefLRUPolicyMSPerMB=0",
                            "-Xmx256m",
                            "-XX:TieredStopAtLevel=1", // for so short a life
                            "-cp",
                            System.getProperty("java.class.path"),
                            Restarts.class.getName(),
                            Integer.toString(redis.port()),
                            Integer.toString(RESTARTS))
                    .redirectErrorStream(true)
                    .start();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(printed).isZero();
            System.out.println(
                    printed.strip().lines().reduce((first, last) -> last).orElseThrow());
        }
    }

    /** The process; it ends with how many class loaders are left, and prints which threads are. */
    static final class Restarts {
        private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

        private Restarts() {}

        public static void main(String[] arguments) throws Exception {
            long start = System.nanoTime();
            int redisPort = Integer.parseInt(arguments[0]);
            int restarts = Integer.parseInt(arguments[1]);
            restart(redisPort);
            List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
            for (int i = 0; i < restarts; i++) {
                loaders.add(new WeakReference<>(restart(redisPort)));
            }
            restart(redisPort);
            long end = System.nanoTime();
            while (left(loaders) > 0 && System.nanoTime() - end < PATIENCE_NANOS) {
                System.gc();
            }
            Thread.getAllStackTraces().keySet().forEach(System.out::println);
            System.out.printf(
                    "%d restarts in %d s, class loaders left: %d%n",
                    restarts, TimeUnit.NANOSECONDS.toSeconds(end - start), left(loaders));
            System.exit((int) left(loaders));
        }

        private static long left(List<WeakReference<ClassLoader>> loaders) {
            return loaders.stream()
                    .map(WeakReference::get)
                    .filter(Objects::nonNull)
                    .count();
        }

        private static ClassLoader restart(int redisPort) throws Exception {
            try (OwnClasses own = new OwnClasses(Restarts.class.getClassLoader())) {
                run(own, redisPort);
                return own;
            }
        }

        private static void run(ClassLoader classes, int redisPort) throws Exception {
            ClassLoader before = Thread.currentThread().getContextClassLoader();
            Thread.currentThread().setContextClassLoader(classes);
            SpringApplication application = new SpringApplication(
                    new DefaultResourceLoader(classes), classes.loadClass(SoakApplication.class.getName()));
            try (ConfigurableApplicationContext context = application.run(arguments(redisPort))) {
                use(Integer.parseInt(context.getEnvironment().getRequiredProperty("local.server.port")));
            } finally {
                Thread.currentThread().setContextClassLoader(before);
            }
        }

        private static String[] arguments(int redisPort) {
            List<String> arguments = new ArrayList<>(List.of("--logging.level.root=warn"));
            for (String property : SoakApplication.properties(redisPort)) {
                arguments.add("--" + property);
            }
            return arguments.toArray(String[]::new);
        }

        /** Sees to it that there is something to leave behind. */
        private static void use(int port) throws IOException {
            try (Connection connection = new Connection(port)) {
                for (String path : List.of("/local", "/redis", "/plans", "/annotated", "/waiting", "/login/right")) {
                    String head = connection
                            .get(path, SoakApplication.CLIENT + ": anybody\r\n")
                            .head();
                    if (!head.startsWith("http/1.1 200")) {
                        throw new IllegalStateException(path + ": " + head);
                    }
                }
            }
        }
    }

    /** Loads our classes by itself, and all others by its parent. */
    private static final class OwnClasses extends URLClassLoader {
        private static final String OURS = "dev.ratelimit.";

        OwnClasses(ClassLoader parent) throws MalformedURLException {
            super(urls(), parent);
        }

        private static URL[] urls() throws MalformedURLException {
            List<URL> urls = new ArrayList<>();
            for (String each : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
                if (new File(each).isDirectory() || each.contains("ratelimit-")) {
                    urls.add(new File(each).toURI().toURL());
                }
            }
            return urls.toArray(URL[]::new);
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(OURS)) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded == null ? findClass(name) : loaded;
            }
        }
    }
}
