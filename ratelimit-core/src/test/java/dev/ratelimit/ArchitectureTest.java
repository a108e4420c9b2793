package dev.ratelimit;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
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

    @Test
    void leavesNothingBehindInAThread() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ThreadLocal.class)
                .check(core);
    }
}
