package dev.ratelimit.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;

class ModulesTest {

    /** The JVM refuses modules of which two have the same package. */
    @Test
    void noPackageIsInTwoOfThem() throws Exception {
        Map<String, Set<String>> modulesByPackage = new TreeMap<>();
        for (Resource type :
                new PathMatchingResourcePatternResolver().getResources("classpath*:dev/ratelimit/**/*.class")) {
            String url = type.getURL().toString();
            int start = url.lastIndexOf("dev/ratelimit/");
            if (!url.contains("/test-classes/")) {
                modulesByPackage
                        .computeIfAbsent(url.substring(start, url.lastIndexOf('/')), name -> new TreeSet<>())
                        .add(url.substring(0, start));
            }
        }

        assertThat(modulesByPackage)
                .containsKeys("dev/ratelimit", "dev/ratelimit/spring/web", "dev/ratelimit/test")
                .allSatisfy((name, modules) -> assertThat(modules).hasSize(1));
    }
}
