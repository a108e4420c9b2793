package dev.ratelimit.spring.autoconfigure;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/** Tells which properties are unknown, in place of Boot, which would tell their values, too: one may be a misspelt secret. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class UnknownPropertyFailureAnalyzer extends AbstractFailureAnalyzer<UnboundConfigurationPropertiesException> {
    private static final ConfigurationPropertyName RATELIMIT = ConfigurationPropertyName.of("ratelimit");

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, UnboundConfigurationPropertiesException cause) {
        List<String> unknown = cause.getUnboundProperties().stream()
                .filter(property -> RATELIMIT.isAncestorOf(property.getName()))
                .map(property -> property.getName() + " is unknown (" + property.getOrigin() + ')')
                .toList();
        return unknown.isEmpty()
                ? null
                : new FailureAnalysis(String.join("\n", unknown), "Correct the spelling, or remove it.", cause);
    }
}
