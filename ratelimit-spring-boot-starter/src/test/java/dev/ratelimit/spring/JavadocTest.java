package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.DocTree;
import com.sun.source.doctree.LiteralTree;
import com.sun.source.doctree.StartElementTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Holds the Javadoc of all modules to its use: each page is complete, and has an example that compiles. A public type has a
 * page unless it bears the tag {@code @hidden}, as one does that is public for our other packages only.
 */
class JavadocTest {
    private static final String TEST_MODULE = "../ratelimit-test/src/main/java";
    private static final List<String> SOURCES =
            List.of("../ratelimit-core/src/main/java", "src/main/java", TEST_MODULE);

    /** Nothing in them is for code. */
    private static final List<String> NEED_NO_EXAMPLE =
            List.of("dev.ratelimit.spring.actuate", "dev.ratelimit.spring.redis");

    /** What examples import, in a package that is none of ours. */
    private static final String IMPORTS = """
            package example;
            import static dev.ratelimit.test.RateLimitAssertions.assertThat;
            import dev.ratelimit.*;
            import dev.ratelimit.spring.*;
            import dev.ratelimit.spring.autoconfigure.*;
            import dev.ratelimit.spring.web.*;
            import dev.ratelimit.test.*;
            import jakarta.servlet.http.*;
            import java.time.Duration;
            import java.util.*;
            import java.util.concurrent.*;
            import org.apache.commons.logging.Log;
            import org.springframework.boot.SpringApplication;
            import org.springframework.boot.autoconfigure.*;
            import org.springframework.boot.autoconfigure.condition.*;
            import org.springframework.boot.test.context.SpringBootTest;
            import org.springframework.boot.webmvc.test.autoconfigure.WebMvcTest;
            import org.springframework.context.annotation.*;
            import org.springframework.context.event.EventListener;
            import org.springframework.stereotype.*;
            import org.springframework.test.web.servlet.assertj.MockMvcTester;
            """;

    /** What examples take as given. */
    private static final String GIVEN = """
            abstract class Given {
                TokenBucket bucket;
                RateLimiter limiter;
                List<Claim> claims;
                ManualClock clock;
                ConfiguredPolicies policies;
                RateLimitCounts counts;
                RateLimitExceededException denied;
                MockMvcTester mvc;
                Log log;
                Reports reports;
                Model model;
                interface Application {}
                interface Reports { String latest(String tenant); }
                interface Model { Answer ask(String prompt); }
                record Answer(long tokens) {}
            }
            """;

    private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();
    private static final StandardJavaFileManager FILES = COMPILER.getStandardFileManager(null, null, null);
    private static final List<Page> PAGES = new ArrayList<>();
    private static final List<String> WITHOUT_PAGE = new ArrayList<>();

    /** A public type or a package. */
    private record Page(String name, JavaFileObject source, List<Example> examples) {}

    /** Statements, or members of a class where it does not read as such. */
    private record Example(String name, String code) {
        Snippet asStatements() {
            return snippet("void run() throws Exception {\n" + code + "\n}");
        }

        Snippet asMembers() {
            return snippet(code);
        }

        private Snippet snippet(String members) {
            String type = "class " + name.replace('.', '_') + " extends Given {\n";
            return new Snippet(name, IMPORTS + type + members + "\n}");
        }
    }

    /** Code that is in no file. */
    private static final class Snippet extends SimpleJavaFileObject {
        private final String code;

        Snippet(String name, String code) {
            super(URI.create("snippet:///" + name), Kind.SOURCE);
            this.code = code;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return code;
        }
    }

    @BeforeAll
    static void readPages() throws IOException {
        JavacTask task = task(sources(), new DiagnosticCollector<>());
        DocTrees docs = DocTrees.instance(task);
        for (CompilationUnitTree unit : task.parse()) {
            Tree documented = documented(unit);
            DocCommentTree doc = documented == null ? null : docs.getDocCommentTree(TreePath.getPath(unit, documented));
            if (documented == null) {
                continue;
            }
            String name = name(unit, documented);
            if (isHidden(doc)) {
                WITHOUT_PAGE.add(name);
            } else {
                PAGES.add(new Page(name, unit.getSourceFile(), examples(name, doc)));
                addHiddenMembers(name, TreePath.getPath(unit, documented), docs);
            }
        }
    }

    private static void addHiddenMembers(String type, TreePath path, DocTrees docs) {
        List<? extends Tree> members = path.getLeaf() instanceof ClassTree declared ? declared.getMembers() : List.of();
        for (Tree member : members) {
            if (isHidden(docs.getDocCommentTree(new TreePath(path, member)))) {
                WITHOUT_PAGE.add(type + suffix(member, type));
            }
        }
    }

    /** Returns how the build's list goes on after a type's name, without the packages of parameters. */
    private static String suffix(Tree member, String type) {
        if (member instanceof ClassTree nested) {
            return "$" + nested.getSimpleName();
        }
        MethodTree method = (MethodTree) member;
        String name = method.getReturnType() == null
                ? type.substring(type.lastIndexOf('.') + 1)
                : method.getName().toString();
        return method.getParameters().stream()
                .map(parameter -> parameter.getType().toString().replaceAll("<.*>", ""))
                .collect(Collectors.joining(",", "#" + name + '(', ")"));
    }

    private static List<JavaFileObject> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (String folder : SOURCES) {
            try (Stream<Path> files = Files.walk(Path.of(folder))) {
                files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
            }
        }
        List<JavaFileObject> files = new ArrayList<>();
        FILES.getJavaFileObjectsFromPaths(sources).forEach(files::add);
        return files;
    }

    private static JavacTask task(
            List<? extends JavaFileObject> files,
            DiagnosticCollector<JavaFileObject> messages,
            String... furtherOptions) {
        List<String> options = new ArrayList<>(List.of("-proc:none", "-implicit:none", "-sourcepath", TEST_MODULE));
        options.addAll(List.of("-classpath", System.getProperty("java.class.path")));
        options.addAll(List.of(furtherOptions));
        return (JavacTask) COMPILER.getTask(null, FILES, messages, options, null, files);
    }

    /** Returns what has a page: the public type in that file, or else the package if it is the file of that. */
    private static @Nullable Tree documented(CompilationUnitTree unit) {
        for (Tree type : unit.getTypeDecls()) {
            if (type instanceof ClassTree declared
                    && declared.getModifiers().getFlags().contains(Modifier.PUBLIC)) {
                return type;
            }
        }
        return unit.getTypeDecls().isEmpty() ? unit.getPackage() : null;
    }

    private static String name(CompilationUnitTree unit, Tree documented) {
        String packageName = String.valueOf(unit.getPackageName());
        return documented instanceof ClassTree type ? packageName + '.' + type.getSimpleName() : packageName;
    }

    private static boolean isHidden(@Nullable DocCommentTree doc) {
        return doc != null && doc.getBlockTags().stream().anyMatch(tag -> tag.getKind() == DocTree.Kind.HIDDEN);
    }

    private static List<Example> examples(String page, @Nullable DocCommentTree doc) {
        List<Example> examples = new ArrayList<>();
        DocTree last = doc;
        for (DocTree part : doc == null ? List.<DocTree>of() : doc.getFullBody()) {
            if (part instanceof LiteralTree literal
                    && last instanceof StartElementTree element
                    && element.getName().contentEquals("pre")) {
                String name = page + ".example" + examples.size();
                examples.add(new Example(name, literal.getBody().getBody()));
            }
            last = part;
        }
        return examples;
    }

    /** Profile {@code api} of the parent's pom, as docs/compatibility.md has it. */
    @Test
    void theBuildGuardsWhatHasAPage() throws IOException {
        String pom = Files.readString(Path.of("../pom.xml"));
        Set<String> included = namesIn(pom, "include");
        Set<String> excluded = namesIn(pom, "exclude");

        Set<String> names = PAGES.stream().map(Page::name).collect(Collectors.toSet());
        assertThat(names)
                .filteredOn(name -> !NEED_NO_EXAMPLE.contains(name) && !included.contains(name))
                .allMatch(name -> included.contains(packageOf(name)) || name.equals("dev.ratelimit.spring.web"));
        assertThat(names).doesNotContainAnyElementsOf(excluded);
        assertThat(WITHOUT_PAGE)
                .hasSizeGreaterThan(10)
                .filteredOn(name -> included.contains(packageOf(name)))
                .allMatch(excluded::contains);
        assertThat(excluded)
                .filteredOn(name -> name.indexOf('#') < 0) // a method's name may be one that is meant to break
                .allMatch(WITHOUT_PAGE::contains);
        assertThat(WITHOUT_PAGE).doesNotContainAnyElementsOf(included);
    }

    private static Set<String> namesIn(String pom, String element) {
        return Pattern.compile("<" + element + ">(dev\\.ratelimit[^<:]*)</")
                .matcher(pom)
                .results()
                .map(name -> name.group(1).replaceAll("(?<=[(,])[a-z.]+\\.", ""))
                .collect(Collectors.toSet());
    }

    private static String packageOf(String type) {
        return type.substring(0, type.lastIndexOf('.'));
    }

    @Test
    void everyPageHasAnExample() {
        assertThat(PAGES)
                .hasSizeGreaterThan(NEED_NO_EXAMPLE.size())
                .filteredOn(page -> page.examples().isEmpty())
                .extracting(Page::name)
                .containsExactlyInAnyOrderElementsOf(NEED_NO_EXAMPLE);
    }

    @Test
    void everyExampleCompiles() throws IOException {
        List<Example> examples =
                PAGES.stream().flatMap(page -> page.examples().stream()).toList();
        DiagnosticCollector<JavaFileObject> unreadable = new DiagnosticCollector<>();
        task(examples.stream().map(Example::asStatements).toList(), unreadable).parse();
        Set<URI> noStatements = unreadable.getDiagnostics().stream()
                .map(message -> message.getSource().toUri())
                .collect(Collectors.toSet());

        List<Snippet> snippets = new ArrayList<>(List.of(new Snippet("Given", IMPORTS + GIVEN)));
        for (Example example : examples) {
            Snippet statements = example.asStatements();
            snippets.add(noStatements.contains(statements.toUri()) ? example.asMembers() : statements);
        }
        DiagnosticCollector<JavaFileObject> messages = new DiagnosticCollector<>();
        task(snippets, messages).analyze();

        assertThat(messages.getDiagnostics())
                .filteredOn(message -> message.getKind() == Diagnostic.Kind.ERROR)
                .isEmpty();
    }

    @Test
    void everyPageIsComplete() throws IOException {
        List<JavaFileObject> files = PAGES.stream().map(Page::source).toList();
        DiagnosticCollector<JavaFileObject> messages = new DiagnosticCollector<>();
        task(files, messages, "-Xdoclint:all/protected").analyze();

        Set<String> sources =
                PAGES.stream().map(page -> page.source().getName()).collect(Collectors.toSet());
        assertThat(messages.getDiagnostics())
                .filteredOn(message -> message.getSource() != null
                        && sources.contains(message.getSource().getName()))
                .isEmpty();
    }
}
