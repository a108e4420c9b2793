package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.Limit;
import org.springframework.boot.context.properties.ConfigurationPropertiesBinding;
import org.springframework.core.convert.converter.Converter;

/** Reads a limit from the text form in application.yml. */
@ConfigurationPropertiesBinding
final class LimitConverter implements Converter<String, Limit> {

    @Override
    public Limit convert(String text) {
        return Limit.parse(text);
    }
}
