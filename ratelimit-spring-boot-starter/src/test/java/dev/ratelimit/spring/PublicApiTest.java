package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Holds what docs/compatibility.md calls public to what the build guards, profile {@code api} of the parent's pom. */
class PublicApiTest {
    private final String page = read("docs/compatibility.md");
    private final String pom = read("pom.xml");

    @Test
    void thePageNamesAllThatTheBuildGuards() {
        assertThat(namesIn("include"))
                .hasSizeGreaterThan(5)
                .allSatisfy(name -> assertThat(page).contains("`" + name + "`"));
    }

    @Test
    void thePageNamesAllThatTheBuildLeavesOut() {
        assertThat(namesIn("exclude")).isNotEmpty().allSatisfy(name -> {
            assertThat(Class.forName(name)).isPublic();
            assertThat(page).contains("`" + name.substring(name.lastIndexOf('.') + 1) + "`");
        });
    }

    private List<String> namesIn(String element) {
        return Pattern.compile("<" + element + ">(dev\\.ratelimit[^<:]*)</")
                .matcher(pom)
                .results()
                .map(name -> name.group(1))
                .toList();
    }

    private static String read(String file) {
        try {
            return Files.readString(Path.of("..", file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
