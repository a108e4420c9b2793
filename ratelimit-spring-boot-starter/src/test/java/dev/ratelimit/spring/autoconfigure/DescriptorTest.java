package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.context.annotation.ImportCandidates;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.core.io.support.SpringFactoriesLoader;

class DescriptorTest {

    @Test
    void everyAutoConfigurationThatIsNamedCanBeLoaded() {
        ClassLoader loader = getClass().getClassLoader();

        assertThat(ImportCandidates.load(AutoConfiguration.class, loader))
                .filteredOn(name -> name.startsWith("dev.ratelimit."))
                .hasSize(6)
                .allSatisfy(name -> assertThat(Class.forName(name)).hasAnnotation(AutoConfiguration.class));
    }

    @Test
    void theFailureAnalyzerIsAmongThoseThatBootAsks() {
        assertThat(SpringFactoriesLoader.forDefaultResourceLocation()
                        .load(FailureAnalyzer.class, (type, name, failure) -> {}))
                .hasAtLeastOneElementOfType(InvalidRateLimitFailureAnalyzer.class);
    }

    @Test
    void idesAreToldOfEveryProperty() throws IOException {
        try (InputStream metadata = getClass().getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            assertThat(metadata).isNotNull();
            assertThat(new String(metadata.readAllBytes(), StandardCharsets.UTF_8))
                    .contains(
                            "\"ratelimit.enabled\"",
                            "\"ratelimit.policies\"",
                            "\"ratelimit.client-address.trusted-proxies\"",
                            "\"ratelimit.client-address.ipv6-prefix\"",
                            "\"ratelimit.key-secret\"",
                            "\"ratelimit.actuator.show-keys\"",
                            "\"ratelimit.local.maximum-keys\"",
                            "\"ratelimit.local.synchronization\"",
                            "\"ratelimit.backend\"",
                            "\"ratelimit.redis.timeout\"",
                            "\"ratelimit.redis.instances\"",
                            "\"ratelimit.redis.prefix\"",
                            "How many keys are tracked for each policy");
        }
    }
}
