package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A Java virtual machine of a test's own, the same as the one that runs the tests. */
final class Jvm {
    private Jvm() {}

    /** Returns what {@code main} prints, without the white space around it. */
    static String run(List<String> options, Class<?> main, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(options);
        all.add("-cp");
        all.add(System.getProperty("surefire.real.class.path", System.getProperty("java.class.path")));
        all.add(main.getName());
        all.addAll(List.of(arguments));
        return run(all);
    }

    static String run(List<String> arguments) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(process.waitFor()).as(printed).isZero();
        return printed;
    }
}
