package dev.ratelimit.spring.autoconfigure;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;

/** The pages of this repository, and the blocks of code in them. */
final class Docs {
    static final Path ROOT = Path.of("..");

    /** @param theirs whether it shows another library's code, which the comment {@code theirs} before it says */
    record Block(String page, int line, String language, boolean theirs, String text) {
        @Override
        public String toString() {
            return page + ":" + line + " " + language;
        }

        List<PropertySource<?>> properties() {
            try {
                return new YamlPropertySourceLoader().load(toString(), new ByteArrayResource(text.getBytes(UTF_8)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        ApplicationContextInitializer<ConfigurableApplicationContext> asConfiguration() {
            List<PropertySource<?>> properties = properties();
            return context -> properties.forEach(context.getEnvironment().getPropertySources()::addFirst);
        }
    }

    private Docs() {}

    static String read(Path file) {
        try {
            return Files.readString(file, UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String read(String page) {
        return read(ROOT.resolve(page));
    }

    /** The files below a folder, for as many steps as {@code depth} allows. */
    static List<Path> files(Path folder, int depth, String suffix) {
        try (Stream<Path> files = Files.walk(folder, depth)) {
            return files.filter(file -> file.toString().endsWith(suffix))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Those at the top, those of the modules, and those in {@code docs}. */
    static List<String> pages() {
        return Stream.of(files(ROOT, 1, ".md"), files(ROOT.resolve("docs"), 9, ".md"), moduleReadmes())
                .flatMap(List::stream)
                .map(page -> ROOT.relativize(page).toString().replace('\\', '/'))
                .toList();
    }

    private static List<Path> moduleReadmes() {
        return modules().stream()
                .map(module -> module.resolve("README.md"))
                .filter(Files::exists)
                .toList();
    }

    static List<Path> modules() {
        return files(ROOT, 2, "pom.xml").stream()
                .map(Path::getParent)
                .filter(folder -> !folder.equals(ROOT))
                .toList();
    }

    static List<Block> blocks() {
        return pages().stream().flatMap(page -> blocks(page).stream()).toList();
    }

    static List<Block> blocks(String page, String language) {
        return blocks(page).stream()
                .filter(block -> block.language().equals(language))
                .toList();
    }

    private static List<Block> blocks(String page) {
        List<Block> blocks = new ArrayList<>();
        List<String> lines = read(page).lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith("```")) {
                int end = i + 1;
                while (!lines.get(end).equals("```")) {
                    end++;
                }
                blocks.add(new Block(
                        page,
                        i + 1,
                        lines.get(i).substring(3),
                        i > 0 && lines.get(i - 1).equals("<!-- theirs -->"),
                        String.join("\n", lines.subList(i + 1, end))));
                i = end;
            }
        }
        return blocks;
    }

    static String squeezed(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}
