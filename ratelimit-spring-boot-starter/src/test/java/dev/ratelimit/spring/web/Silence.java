package dev.ratelimit.spring.web;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;

/** Ends the silence of tests that switch the log off, which would last for all tests in the same process. */
final class Silence implements AfterAllCallback {
    @Override
    public void afterAll(ExtensionContext context) {
        LoggingSystem.get(Silence.class.getClassLoader()).setLogLevel(LoggingSystem.ROOT_LOGGER_NAME, LogLevel.INFO);
    }
}
