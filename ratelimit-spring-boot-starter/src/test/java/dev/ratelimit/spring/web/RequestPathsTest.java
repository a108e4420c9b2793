package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;

class RequestPathsTest {
    private static List<PathPattern> patterns(String... patterns) {
        return Stream.of(patterns).map(PathPatternParser.defaultInstance::parse).toList();
    }

    private static RequestLine get(String path) {
        return new RequestLine(new MockHttpServletRequest("GET", path));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "//files/a",
                "/./files/a",
                "/x/../files/a",
                "/../files/a",
                "/%2e/files/a",
                "/x/%2E%2E/files/a",
                "/x%2f../files/a",
                "/;p/files/a",
                "/files//a",
                "/files/a/",
                "/files/./a",
                "\\files\\a",
                "/files%5Ca"
            })
    void coversWhatIsServedAsAFileOfThatPath(String spelling) {
        assertThat(new RequestPaths(patterns("/files/a"), List.of(), true).match(get(spelling)))
                .isTrue();
        assertThat(new RequestPaths(patterns("/other/a"), List.of(), true).match(get(spelling)))
                .isFalse();
    }

    @Test
    void excludesOnlyWhatIsExcludedInBothSpellings() {
        RequestPaths paths = new RequestPaths(patterns("/**"), patterns("/open/**"), true);

        assertThat(paths.match(get("/open/a"))).isFalse();
        assertThat(paths.match(get("/open//a/"))).isFalse();
        assertThat(paths.match(get("/open/../files/a"))).isTrue();
        assertThat(paths.match(get("/open/%2e%2e/files/a"))).isTrue();
        assertThat(paths.match(get("/files/../open/a"))).isTrue();
    }
}
