package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.http.server.RequestPath;
import org.springframework.mock.web.MockHttpServletMapping;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.web.util.pattern.PathPattern;
import org.springframework.web.util.pattern.PathPatternParser;

class RequestPatternTest {
    private static final String[] PATTERNS = {
        "/**",
        "/",
        "/a",
        "/a/",
        "/a/**",
        "/a/b",
        "/a/b/**",
        "/a.b/**",
        "//a/**",
        "/A/**",
        "/*/a",
        "/a*",
        "/{x}/b",
        "/a/{*rest}",
        "/**/b",
        "/a b/**",
        "/ä"
    };
    private static final String[] PIECES = {
        "/", "/", "/", "a", "a", "b", "A", ".", "..", ";", ";x=1", "%", "%61", "%2f", "%2F", "%62", "%3b", "%2e", "%00",
        "=", " ", "ä", "%c3%a4", "+", "\\", "~", "*"
    };

    private final Random random = new Random();

    @Test
    void matchesWhatTheParsedPatternMatches() {
        long seed = random.nextLong();
        random.setSeed(seed);
        int matches = 0;
        for (int i = 0; i < 200_000; i++) {
            String context = random.nextInt(4) == 0 ? "/a" : "";
            String path = path(1 + random.nextInt(6));
            PathPatternParser parser = new PathPatternParser();
            parser.setCaseSensitive(random.nextInt(8) > 0);
            PathPattern pattern = parser.parse(PATTERNS[random.nextInt(PATTERNS.length)]);
            boolean expected;
            try {
                expected = pattern.matches(
                        RequestPath.parse(context + path, context).pathWithinApplication());
            } catch (IllegalArgumentException e) {
                continue; // no such request reaches a handler
            }
            assertThat(RequestPattern.of(pattern, parser.isCaseSensitive()).matches(line(context, path)))
                    .as("%s matches %s behind \"%s\", seed %d", pattern, path, context, seed)
                    .isEqualTo(expected);
            matches += expected ? 1 : 0;
        }
        assertThat(matches).isGreaterThan(10_000);
    }

    private String path(int pieces) {
        StringBuilder path = new StringBuilder("/");
        for (int i = 0; i < pieces; i++) {
            path.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return path.toString();
    }

    private static RequestLine line(String context, String path) {
        MockHttpServletRequest request = new MockHttpServletRequest("GET", context + path);
        request.setContextPath(context);
        return new RequestLine(request);
    }

    @ParameterizedTest
    @CsvSource({
        "/api/**, /api/a%20b;c=d//x",
        "/api/**, /api",
        "/api/**, /other;x=1",
        "/**, /%61",
        "/login, /login",
        "/login, /logout%20"
    })
    void parsesNoPathThatALiteralCanTell(String pattern, String path) {
        PathPattern parsed = PathPatternParser.defaultInstance.parse(pattern);
        MockHttpServletRequest request = new MockHttpServletRequest("GET", path) {
            @Override
            public Object getAttribute(String name) {
                throw new AssertionError("parses, as it asks for " + name);
            }
        };

        boolean matches = RequestPattern.of(parsed, true).matches(new RequestLine(request));

        assertThat(matches).isEqualTo(parsed.matches(RequestPath.parse(path, "").pathWithinApplication()));
    }

    @Test
    void leavesThePathOfAServletToTheParser() {
        MockHttpServletRequest request = new MockHttpServletRequest("GET", "/mvc/api");
        request.setServletPath("/mvc");
        request.setHttpServletMapping(
                new MockHttpServletMapping("", "/mvc/*", "dispatcher", jakarta.servlet.http.MappingMatch.PATH));

        PathPattern pattern = PathPatternParser.defaultInstance.parse("/api");

        assertThat(RequestPattern.of(pattern, true).matches(new RequestLine(request)))
                .isTrue();
    }
}
