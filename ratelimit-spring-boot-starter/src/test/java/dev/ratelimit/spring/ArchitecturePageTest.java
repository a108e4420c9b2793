package dev.ratelimit.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds the pictures and the names in {@code docs/architecture.md} to the code. */
class ArchitecturePageTest {
    private static final Path ROOT = Path.of("..");
    private static final JavaClasses CODE = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.ratelimit");

    private final String page = read(ROOT.resolve("docs/architecture.md"));

    private static String read(Path file) {
        try {
            return Files.readString(file, UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<MatchResult> find(String regex, String text) {
        return Pattern.compile(regex, Pattern.MULTILINE).matcher(text).results().toList();
    }

    private List<String> pictures(String kind) {
        return find("(?s)^```mermaid\n" + kind + "\\b(.*?)^```", page).stream()
                .map(each -> each.group(1))
                .toList();
    }

    @Test
    void itsArrowsAreThoseOfTheCode() {
        String picture = pictures("flowchart").get(0);
        Map<String, String> packages = find("^ *(\\w+)\\[\"(dev\\.[\\w.]+)", picture).stream()
                .collect(Collectors.toMap(node -> node.group(1), node -> node.group(2)));
        Map<String, Set<String>> drawn = new TreeMap<>();
        packages.values().forEach(each -> drawn.put(each, new TreeSet<>()));
        for (MatchResult arrow : find("^ *(\\w+) --> (.+)$", picture)) {
            for (String target : arrow.group(2).split(" & ", -1)) {
                Objects.requireNonNull(drawn.get(packages.get(arrow.group(1))))
                        .add(Objects.requireNonNull(packages.get(target)));
            }
        }

        assertThat(page).contains("all of them use `dev.ratelimit`");
        drawn.forEach((each, targets) -> {
            if (!each.equals("dev.ratelimit")) {
                targets.add("dev.ratelimit");
            }
        });
        assertThat(drawn).isEqualTo(dependencies());
    }

    private static Map<String, Set<String>> dependencies() {
        Map<String, Set<String>> dependencies = new TreeMap<>();
        for (JavaClass each : CODE) {
            Set<String> targets = dependencies.computeIfAbsent(each.getPackageName(), unused -> new TreeSet<>());
            targetsOf(each)
                    .map(JavaClass::getPackageName)
                    .filter(target -> target.startsWith("dev.ratelimit") && !target.equals(each.getPackageName()))
                    .forEach(targets::add);
        }
        return dependencies;
    }

    private static Stream<JavaClass> targetsOf(JavaClass type) {
        return type.getDirectDependenciesFromSelf().stream()
                .map(Dependency::getTargetClass)
                .map(JavaClass::getBaseComponentType);
    }

    @Test
    void itsMessagesAreCallsOfTheCode() {
        assertThat(pictures("sequenceDiagram")).hasSize(2).allSatisfy(ArchitecturePageTest::messagesAreCalls);
    }

    private static void messagesAreCalls(String picture) {
        Set<String> participants = find("^ *participant (\\w+)$", picture).stream()
                .map(each -> each.group(1))
                .collect(Collectors.toSet());
        List<MatchResult> messages = find("^ *(\\w+)->>(\\w+): (\\w+)", picture).stream()
                .filter(each -> participants.contains(each.group(1)) && participants.contains(each.group(2)))
                .toList();

        assertThat(messages)
                .isNotEmpty()
                .allSatisfy(message -> assertThat(calls(message.group(1), message.group(2)))
                        .as(message.group())
                        .contains(message.group(3)));
        assertThat(messages.stream().flatMap(each -> Stream.of(each.group(1), each.group(2))))
                .containsAll(participants);
    }

    /** Returns the names of what one type calls of another; a type is what its file has. */
    private static Set<String> calls(String type, String of) {
        return CODE.stream()
                .filter(each -> topOf(each).equals(type))
                .flatMap(each -> each.getCodeUnitCallsFromSelf().stream())
                .filter(call -> call.getTargetOwner().getSimpleName().equals(of))
                .map(call -> call.getTarget().getName())
                .collect(Collectors.toSet());
    }

    private static String topOf(JavaClass type) {
        return type.getEnclosingClass().map(ArchitecturePageTest::topOf).orElseGet(type::getSimpleName);
    }

    @Test
    void itsTypesExist() {
        Set<String> types = children(ROOT)
                .map(module -> module.resolve("src"))
                .filter(Files::isDirectory)
                .flatMap(ArchitecturePageTest::filesIn)
                .map(file -> file.getFileName().toString())
                .collect(Collectors.toSet());

        assertThat(find("`([A-Z]\\w*)[^`]*`", page))
                .isNotEmpty()
                .extracting(mention -> mention.group(1) + ".java")
                .allSatisfy(file -> assertThat(types).contains(file));
    }

    private static Stream<Path> children(Path folder) {
        try (Stream<Path> children = Files.list(folder)) {
            return children.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stream<Path> filesIn(Path folder) {
        return children(folder).flatMap(each -> Files.isDirectory(each) ? filesIn(each) : Stream.of(each));
    }
}
