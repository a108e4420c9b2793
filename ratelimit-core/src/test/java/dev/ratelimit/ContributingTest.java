package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds the tables of CONTRIBUTING.md to the build. */
class ContributingTest {
    private static final Path ROOT = Path.of("..");
    private static final List<String> MODULES = find("<module>(.*?)</module>", "pom.xml");

    private static List<String> find(String regex, String file) {
        try {
            return Pattern.compile(regex, Pattern.MULTILINE)
                    .matcher(Files.readString(ROOT.resolve(file)))
                    .results()
                    .map(match -> match.group(1))
                    .toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void itListsTheModules() {
        assertThat(find("^\\| \\[([\\w-]+)]\\(\\1\\) \\|", "CONTRIBUTING.md"))
                .containsExactlyInAnyOrderElementsOf(MODULES);
    }

    @Test
    void itListsTheProfiles() {
        List<String> profiles = new ArrayList<>();
        for (String pom : Stream.concat(Stream.of(""), MODULES.stream().map(module -> module + '/'))
                .toList()) {
            profiles.addAll(find("<profile>\\s*(?:<!--[^>]*-->\\s*)?<id>(.*?)</id>", pom + "pom.xml"));
        }

        assertThat(find("^\\| `([\\w-]+)` \\| `mvn ", "CONTRIBUTING.md")).hasSameElementsAs(profiles);
    }
}
