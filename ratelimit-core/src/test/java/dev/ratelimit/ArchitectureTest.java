package dev.ratelimit;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.contentOf;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
    private final JavaClasses core = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.ratelimit");

    @Test
    void dependsOnTheJdkCaffeineAndJSpecifyOnly() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("dev.ratelimit", "java..", "com.github.benmanes.caffeine.cache", "org.jspecify..")
                .check(core);
    }

    @Test
    void readsNoWallClock() {
        noClasses().should().callMethod(System.class, "currentTimeMillis").check(core);
        noClasses()
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(java.time.Instant.class, java.time.Clock.class)
                .check(core);
    }

    /** Whoever waits for a monitor pins its virtual thread, before JDK 24; who waits for a lock does not. */
    @Test
    void entersNoMonitor() throws IOException {
        try (Stream<Path> sources = Files.walk(Path.of("src/main/java"))) {
            List<Path> files =
                    sources.filter(file -> file.toString().endsWith(".java")).toList();

            assertThat(files)
                    .isNotEmpty()
                    .noneMatch(file -> contentOf(file.toFile()).matches("(?s).*\\bsynchronized\\b.*"));
        }
    }

    @Test
    void leavesNothingBehindInAThread() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ThreadLocal.class)
                .check(core);
    }
}
