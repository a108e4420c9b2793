package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.autoconfigure.Docs.Block;
import dev.ratelimit.spring.web.RateLimitFilter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.mock.web.MockFilterChain;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

/** Runs the candidate of docs/http.md, and holds its lists of properties and codes to the code. {@link DocsTest} does the rest. */
class HttpDocsTest {
    private static final String PAGE = "docs/http.md";

    @Test
    void theCandidateIsCountedAndNotSeen() {
        Block yaml = Docs.blocks(PAGE, "yaml").stream()
                .filter(block -> block.text().contains("api-next"))
                .findFirst()
                .orElseThrow();
        new WebApplicationContextRunner()
                .withConfiguration(
                        AutoConfigurations.of(RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class))
                .withInitializer(yaml.asConfiguration())
                .run(context -> {
                    for (int i = 0; i < 60; i++) {
                        MockHttpServletResponse response = new MockHttpServletResponse();
                        MockHttpServletRequest request = new MockHttpServletRequest("GET", "/api/a");
                        for (FilterRegistrationBean<?> each : context.getBeansOfType(FilterRegistrationBean.class)
                                .values()) {
                            if (each.getFilter() instanceof RateLimitFilter filter && each.isEnabled()) {
                                filter.doFilter(request, response, new MockFilterChain());
                            }
                        }
                        assertThat(response.getStatus()).isEqualTo(200);
                        assertThat(response.getHeader("RateLimit")).doesNotContain("api-next");
                    }
                    assertThat(DocsSnippets.wouldDeny(context.getBean(RateLimitCounts.class)))
                            .isBetween(8L, 10L);
                });
    }

    /** A property that is not on the page is one that nobody finds. */
    @Test
    void thePageListsEveryProperty() {
        String page = Docs.read(PAGE);

        Stream.of(
                        RateLimitProperties.PolicyProperties.class,
                        RateLimitProperties.ClientAddressProperties.class,
                        RateLimitProperties.FilterProperties.class,
                        RateLimitProperties.LocalProperties.class,
                        RateLimitProperties.ActuatorProperties.class,
                        RedisProperties.class)
                .flatMap(type -> Stream.of(type.getRecordComponents()))
                .map(component ->
                        component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT))
                .forEach(name -> assertThat(page).containsPattern("\\| `([a-z.-]*\\.)?" + name + "` \\|"));
    }

    /** A code is there to be looked up. */
    @Test
    void thePageListsEveryCode() {
        Stream<String> sources =
                Docs.files(Path.of("src/main/java"), 99, ".java").stream().map(Docs::read);

        assertThat(codes("^\\| `(RATELIMIT-[EW]\\d\\d)` \\|", Docs.read(PAGE)).toList())
                .doesNotHaveDuplicates()
                .hasSameElementsAs(sources.flatMap(source -> codes("(RATELIMIT-[EW]\\d\\d)", source))
                        .collect(Collectors.toSet()));
    }

    private static Stream<String> codes(String regex, String text) {
        return Pattern.compile(regex, Pattern.MULTILINE).matcher(text).results().map(match -> match.group(1));
    }
}
