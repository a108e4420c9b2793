package dev.ratelimit.spring.autoconfigure;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.web.RateLimitFilter;
import dev.ratelimit.spring.web.RequestRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.mock.web.MockFilterChain;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

/** Runs what the pages show. */
class HttpDocsTest {
    private static final Path ROOT = Path.of("..");
    private static final Path SNIPPETS = Path.of("src/test/java/dev/ratelimit/spring/autoconfigure/DocsSnippets.java");

    private final WebApplicationContextRunner app = new WebApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    DataRedisAutoConfiguration.class,
                    RateLimitRedisAutoConfiguration.class,
                    RateLimitAutoConfiguration.class,
                    RateLimitWebAutoConfiguration.class))
            .withUserConfiguration(DocsSnippets.class)
            .withPropertyValues("RATELIMIT_SECRET=a secret of this test", "REDIS_URL=rediss://localhost:1");

    static List<String> blocks(String page, String language) throws IOException {
        Matcher fences = Pattern.compile("(?s)\\n```" + language + "\\n(.*?)\\n```")
                .matcher(Files.readString(ROOT.resolve(page), UTF_8));
        List<String> blocks = new ArrayList<>();
        while (fences.find()) {
            blocks.add(fences.group(1));
        }
        return blocks;
    }

    static Stream<Arguments> configurations() throws IOException {
        List<Arguments> all = new ArrayList<>();
        for (String page : List.of(
                "README.md",
                "docs/annotation.md",
                "docs/http.md",
                "docs/operations.md",
                "docs/redis.md",
                "docs/security.md")) {
            List<String> blocks = blocks(page, "yaml");
            assertThat(blocks).as(page).isNotEmpty();
            blocks.forEach(yaml -> all.add(Arguments.of(page, yaml)));
        }
        return all.stream();
    }

    private WebApplicationContextRunner configuredBy(String yaml) throws IOException {
        List<PropertySource<?>> sources =
                new YamlPropertySourceLoader().load("docs", new ByteArrayResource(yaml.getBytes(UTF_8)));
        return app.withInitializer(
                context -> sources.forEach(context.getEnvironment().getPropertySources()::addFirst));
    }

    @ParameterizedTest
    @MethodSource("configurations")
    void everyConfigurationStartsAnApplication(String page, String yaml) throws IOException {
        configuredBy(yaml).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context.getBean(RequestRules.class).rules())
                    .extracting(rule -> rule.policy().policy().name())
                    .containsExactlyElementsOf(context.getBean(RateLimitProperties.class)
                            .policies()
                            .keySet());
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"docs/http.md", "docs/redis.md", "docs/security.md"})
    void everyLineOfJavaIsCompiled(String page) throws IOException {
        String compiled = squeezed(Files.readString(SNIPPETS, UTF_8));

        for (String block : blocks(page, "java")) {
            assertThat(compiled).contains(squeezed(block));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"docs/annotation.md", "docs/http.md", "docs/redis.md", "docs/security.md"})
    void everyLinkLeadsSomewhere(String page) throws IOException {
        Path from = ROOT.resolve(page);
        Matcher links =
                Pattern.compile("]\\((?!https:)([^)#]*)(?:#([^)]*))?\\)").matcher(Files.readString(from, UTF_8));
        int found = 0;
        for (; links.find(); found++) {
            Path target = links.group(1).isEmpty() ? from : from.resolveSibling(links.group(1));
            assertThat(target).exists();
            if (links.group(2) != null) {
                assertThat(Files.readAllLines(target, UTF_8))
                        .anyMatch(line -> line.startsWith("#") && anchor(line).equals(links.group(2)));
            }
        }
        assertThat(found).isPositive();
    }

    private static String anchor(String heading) {
        return heading.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT).replace(' ', '-');
    }

    static String squeezed(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }

    @Test
    void theCandidateIsCountedAndNotSeen() throws IOException {
        String yaml = blocks("docs/http.md", "yaml").stream()
                .filter(block -> block.contains("api-next"))
                .findFirst()
                .orElseThrow();
        configuredBy(yaml).run(context -> {
            for (int i = 0; i < 60; i++) {
                MockHttpServletResponse response = new MockHttpServletResponse();
                MockHttpServletRequest request = new MockHttpServletRequest("GET", "/api/a");
                for (FilterRegistrationBean<?> each :
                        context.getBeansOfType(FilterRegistrationBean.class).values()) {
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
    void thePageListsEveryProperty() throws IOException {
        String page = Files.readString(ROOT.resolve("docs/http.md"), UTF_8);

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
}
