package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.ratelimit.spring.autoconfigure.Docs.Block;
import dev.ratelimit.spring.web.RequestRules;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;
import tools.jackson.databind.json.JsonMapper;

/** Holds all pages of this repository to the code. A block of a language that nobody checks is an error. */
class DocsTest {
    private static final Pattern LINK = Pattern.compile("]\\((?!https?:)([^)#\\s]*)(?:#([^)\\s]*))?\\)");

    /** All Java that the build compiles; what a page shows is in a test or in the sample, where it is run, too. */
    private static final Map<String, String> FILES = files();

    private static final String SOURCES = String.join("\n", FILES.values());
    private static final Set<String> PROPERTIES = properties();

    /** What is built, and what was published. */
    private static final List<String> VERSIONS = Stream.of(
                    find("<version>(.*?)</version>", Docs.read("pom.xml")).get(0),
                    find("(?m)^published=(.*)$", Docs.read(".ci/reproducible")).get(0))
            .map(version -> version.group(1))
            .filter(version -> !version.isEmpty())
            .toList();

    /** All poms, for what commands name in them. */
    private static final String POMS = Stream.concat(Stream.of(Docs.ROOT), Docs.modules().stream())
            .map(module -> Docs.read(module.resolve("pom.xml")))
            .collect(Collectors.joining());

    private final WebApplicationContextRunner app = new WebApplicationContextRunner()
            .withConfiguration(
                    AutoConfigurations.of(RateLimitAutoConfiguration.class, RateLimitWebAutoConfiguration.class))
            .withUserConfiguration(DocsSnippets.class)
            .withPropertyValues("RATELIMIT_SECRET=a secret of this test");

    /** Takes a second longer to start and to stop. */
    private final WebApplicationContextRunner appWithRedis = app.withConfiguration(
                    AutoConfigurations.of(DataRedisAutoConfiguration.class, RateLimitRedisAutoConfiguration.class))
            .withPropertyValues("REDIS_URL=rediss://localhost:1");

    private static Map<String, String> files() {
        Map<String, String> all = new HashMap<>();
        for (Path module : Docs.modules()) {
            for (String folder : List.of("src/main/java", "src/test/java")) {
                if (Files.exists(module.resolve(folder))) {
                    Docs.files(module.resolve(folder), 99, ".java")
                            .forEach(file -> all.merge(
                                    file.getFileName().toString(), Docs.squeezed(Docs.read(file)), String::concat));
                }
            }
        }
        return all;
    }

    /** What may be set, by the metadata of all libraries and our own. */
    private static Set<String> properties() {
        Set<String> names = new HashSet<>();
        try {
            for (var metadata : new PathMatchingResourcePatternResolver()
                    .getResources("classpath*:META-INF/spring-configuration-metadata.json")) {
                try (InputStream json = metadata.getInputStream()) {
                    new JsonMapper()
                            .readTree(json)
                            .get("properties")
                            .forEach(each -> names.add(each.get("name").asString()));
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return names;
    }

    static List<String> pages() {
        return Docs.pages();
    }

    static Stream<Block> blocks() {
        return Docs.blocks().stream().filter(block -> !block.theirs());
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void everyBlockIsTrue(Block block) {
        assertThat(block).satisfies(this::isTrue);
    }

    private void isTrue(Block block) throws Exception {
        switch (block.language()) {
            case "yaml" -> startsAnApplication(block);
            case "java" ->
                assertThat(SOURCES.contains(Docs.squeezed(block.text())))
                        .as("is compiled")
                        .isTrue();
            case "xml" -> namesWhatIsBuilt(block);
            case "shell" -> namesWhatThereIs(block.text());
            // The sample sends its requests and asks its meters.
            case "http" -> assertThat(block.page()).isEqualTo("README.md");
            case "promql" -> assertThat(block.page()).isEqualTo("docs/operations.md");
            // Held to the code by a test of its own.
            case "mermaid" -> assertThat(block.page()).isEqualTo("docs/architecture.md");
            default -> fail("nobody checks what is in this language");
        }
    }

    private void startsAnApplication(Block block) {
        assertThat(block.properties())
                .flatMap(source -> List.of(((EnumerablePropertySource<?>) source).getPropertyNames()))
                .allMatch(DocsTest::isAProperty);
        WebApplicationContextRunner runner = block.text().contains("redis") ? appWithRedis : app;
        runner.withInitializer(block.asConfiguration()).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context.getBean(RequestRules.class).rules())
                    .extracting(rule -> rule.policy().policy().name())
                    .containsExactlyElementsOf(context.getBean(RateLimitProperties.class)
                            .policies()
                            .keySet());
        });
    }

    /** What lies below a map, such as that of the policies, is the map's. */
    private static boolean isAProperty(String name) {
        String known = name.replaceAll("\\[\\d+]", "");
        while (!PROPERTIES.contains(known) && known.contains(".")) {
            known = known.substring(0, known.lastIndexOf('.'));
        }
        return known.contains(".");
    }

    private static void namesWhatIsBuilt(Block block) throws Exception {
        Document xml = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader("<all>" + block.text() + "</all>")));
        for (int i = 0; i < xml.getElementsByTagName("dependency").getLength(); i++) {
            String dependency =
                    Docs.squeezed(xml.getElementsByTagName("dependency").item(i).getTextContent());
            if (dependency.startsWith("dev.ratelimit ")) {
                assertThat(Docs.modules())
                        .anyMatch(module -> VERSIONS.stream()
                                .anyMatch(version -> (dependency + ' ')
                                        .startsWith("dev.ratelimit " + module.getFileName() + ' ' + version + ' ')));
            }
        }
    }

    private static void namesWhatThereIs(String commands) {
        for (MatchResult profile : find("mvn .*?-P ?([\\w-]+)", commands)) {
            assertThat(POMS).contains("<id>" + profile.group(1) + "</id>");
        }
        for (MatchResult modules : find("mvn .*?-pl ([\\w,-]+)", commands)) {
            assertThat(modules.group(1).split(","))
                    .allSatisfy(module -> assertThat(Docs.ROOT.resolve(module)).exists());
        }
        for (MatchResult type : find("\\bdev\\.ratelimit\\.[a-z.]+([A-Z]\\w+)", commands)) {
            assertThat(FILES).containsKey(type.group(1) + ".java");
        }
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyCommandNamesWhatThereIs(String page) {
        assertThat(find("`((?:mvn|java) [^`\\n]+)`", Docs.read(page)))
                .extracting(command -> command.group(1))
                .allSatisfy(DocsTest::namesWhatThereIs);
    }

    private static List<MatchResult> find(String regex, String text) {
        return Pattern.compile(regex).matcher(text).results().toList();
    }

    @ParameterizedTest
    @MethodSource("pages")
    void everyLinkLeadsSomewhere(String page) {
        Path from = Docs.ROOT.resolve(page);
        String prose = Docs.read(page).replaceAll("(?ms)^```.*?^```", "");

        assertThat(LINK.matcher(prose).results()).allSatisfy(link -> {
            Path target = link.group(1).isEmpty() ? from : from.resolveSibling(link.group(1));
            assertThat(target).exists();
            if (link.group(2) != null) {
                assertThat(Docs.read(target)
                                .lines()
                                .filter(line -> line.startsWith("#"))
                                .map(DocsTest::anchor))
                        .contains(link.group(2));
            }
        });
    }

    private static String anchor(String heading) {
        return heading.replaceFirst("#+ ", "")
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N} _-]", "")
                .replace(' ', '-');
    }

    @Test
    void theIndexKnowsEveryPage() {
        String index = Docs.read("docs/README.md");

        assertThat(Docs.pages())
                .filteredOn(page -> page.startsWith("docs/") && !page.equals("docs/README.md"))
                .allSatisfy(page -> assertThat(index).contains("](" + page.substring("docs/".length())));
    }

    @Test
    void everyTestThatIsNamedExists() {
        assertThat(Docs.pages())
                .flatMap(page -> find("`(\\w+Test)(?:\\.(\\w+))?`", Docs.read(page)))
                .isNotEmpty()
                .allSatisfy(named -> assertThat(FILES.getOrDefault(named.group(1) + ".java", "")
                                .contains(named.group(2) == null ? "class " : "void " + named.group(2) + "("))
                        .as(named.group())
                        .isTrue());
    }
}
