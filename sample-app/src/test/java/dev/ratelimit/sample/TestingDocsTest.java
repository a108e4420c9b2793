package dev.ratelimit.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Holds docs/testing.md to the test that it shows. */
class TestingDocsTest {
    private static final Path PAGE = Path.of("../docs/testing.md");
    private static final Path SHOWN = Path.of("src/test/java/dev/ratelimit/sample/LimitsTest.java");

    private final String page = Files.readString(PAGE);

    TestingDocsTest() throws IOException {}

    private List<String> find(String regex) {
        return Pattern.compile(regex, Pattern.MULTILINE | Pattern.DOTALL)
                .matcher(page)
                .results()
                .map(found -> found.group(1))
                .toList();
    }

    private static String withoutIndent(String text) {
        return text.replaceAll("(?m)^ +", "");
    }

    @Test
    void itsJavaIsThatOfTheTest() throws IOException {
        String shown = withoutIndent(Files.readString(SHOWN));

        assertThat(find("^```java\\n(.*?)^```"))
                .hasSize(7)
                .allSatisfy(block -> assertThat(shown).contains(withoutIndent(block)));
    }

    @Test
    void itsDependencyIsTheOneThatIsBuilt() throws IOException {
        String version =
                Files.readString(Path.of("../pom.xml")).replaceFirst("(?s).*?(<version>.*?</version>).*", "$1");

        assertThat(find("^```xml\\n(.*?)^```")).singleElement().asString().contains("ratelimit-test", version);
    }

    @Test
    void itsLinksLeadSomewhere() {
        assertThat(find("\\]\\(([^)]+)\\)"))
                .isNotEmpty()
                .allSatisfy(link -> assertThat(PAGE.resolveSibling(link)).exists());
    }
}
