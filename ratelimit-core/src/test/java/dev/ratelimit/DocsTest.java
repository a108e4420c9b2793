package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Holds the classes and methods that pages in {@code docs} name to the code. */
@ParameterizedClass
@MethodSource("pages")
class DocsTest {
    private static final Path DOCS = Path.of("..", "docs");

    private final String text;

    DocsTest(Path page) {
        text = read(page);
    }

    static List<Path> pages() {
        return List.of(DOCS.resolve("choosing-a-bucket.md"), DOCS.resolve("thread-safety.md"));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<MatchResult> find(String regex, String text) {
        return Pattern.compile(regex, Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(text)
                .results()
                .toList();
    }

    @Test
    void itsLinksLeadToTheClassTheyName() {
        assertThat(find("\\[`([A-Z]\\w*)[^`\\]]*`\\]\\(([^)]+)\\)", text))
                .isNotEmpty()
                .allSatisfy(link -> assertThat(link.group(2)).endsWith("/" + link.group(1) + ".java"));
    }

    @Test
    void itsMethodsExist() {
        String prose = text.replaceAll("(?ms)^```.*?^```", "");

        assertThat(find("`([A-Z]\\w*)([#.])([a-z]\\w*)[^`]*`", prose))
                .isNotEmpty()
                .allSatisfy(mention -> assertThat(exists(mention.group(1), mention.group(2), mention.group(3)))
                        .as(mention.group())
                        .isTrue());
    }

    /** A class of the JDK is written with a dot, and not looked up. */
    private static boolean exists(String type, String separator, String method) {
        Class<?> found = classNamed(type);
        if (found == null) {
            return separator.equals(".") && !type.endsWith("Test");
        }
        return Stream.<Class<?>>iterate(found, each -> each != null, Class::getSuperclass)
                .flatMap(each -> Stream.of(each.getDeclaredMethods()))
                .anyMatch(each -> each.getName().equals(method));
    }

    private static @Nullable Class<?> classNamed(String type) {
        try {
            return Class.forName("dev.ratelimit." + type, false, DocsTest.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            return null;
        }
    }
}
