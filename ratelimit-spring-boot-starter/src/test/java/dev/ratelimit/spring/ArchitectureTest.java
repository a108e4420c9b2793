package dev.ratelimit.spring;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.net.InetAddress;
import java.net.SocketAddress;
import org.junit.jupiter.api.Test;
import org.springframework.context.expression.BeanFactoryResolver;
import org.springframework.expression.spel.support.StandardEvaluationContext;

class ArchitectureTest {
    private final JavaClasses starter = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("dev.ratelimit.spring");

    @Test
    void packagesHaveNoCircles() {
        slices().matching("dev.ratelimit.(**)").should().beFreeOfCycles().check(starter);
    }

    @Test
    void expressionsSeeNoTypesAndNoBeans() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .belongToAnyOf(StandardEvaluationContext.class, BeanFactoryResolver.class)
                .check(starter);
    }

    @Test
    void readsNoWallClockAndLeavesNothingInAThread() {
        noClasses().should().callMethod(System.class, "currentTimeMillis").check(starter);
        noClasses()
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ThreadLocal.class)
                .check(starter);
    }

    @Test
    void looksNoNamesUp() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .areAssignableTo(InetAddress.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(SocketAddress.class)
                .check(starter);
    }
}
