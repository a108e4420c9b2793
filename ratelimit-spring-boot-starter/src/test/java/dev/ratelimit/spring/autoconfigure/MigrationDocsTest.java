package dev.ratelimit.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import dev.ratelimit.NanoClock;
import dev.ratelimit.spring.RateLimited;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Runs the methods of the pages in docs/migration under the policies that stand beside them. */
class MigrationDocsTest {
    private final ManualClock clock =
            new ManualClock(ThreadLocalRandom.current().nextLong());

    static class Printer {
        @RateLimited(policy = "printing", key = "#tenant", fallback = "later")
        public String print(String tenant) {
            return "printed";
        }

        String later(String tenant) {
            return "later";
        }
    }

    static class Quotes {
        @RateLimited(policy = "quotes", maxWait = "500ms", fallback = "lastQuote")
        public String quote(String symbol) {
            return "new";
        }

        String lastQuote(String symbol) {
            return "last";
        }
    }

    private ApplicationContextRunner app(String page) {
        ApplicationContextRunner app = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(RateLimitAutoConfiguration.class))
                .withBean(NanoClock.class, () -> clock);
        for (Docs.Block yaml : Docs.blocks("docs/migration/" + page, "yaml")) {
            if (!yaml.theirs()) {
                app = app.withInitializer(yaml.asConfiguration());
            }
        }
        return app;
    }

    @Test
    void eachTenantPrintsFiveAMinute() {
        app("bucket4j-spring-boot-starter.md").withBean(Printer.class).run(context -> {
            Printer printer = context.getBean(Printer.class);
            for (int i = 0; i < 5; i++) {
                assertThat(printer.print("acme")).isEqualTo("printed");
            }
            assertThat(printer.print("acme")).isEqualTo("later");
            assertThat(printer.print("globex")).isEqualTo("printed");
        });
    }

    @Test
    void quotesComeEvenlyAfterABurst() {
        app("resilience4j.md").withBean(Quotes.class).run(context -> {
            Quotes quotes = context.getBean(Quotes.class);
            for (int i = 0; i < 50; i++) {
                assertThat(quotes.quote("ACME")).isEqualTo("new");
            }
            long start = clock.nanos();
            for (int i = 0; i < 50; i++) {
                assertThat(quotes.quote("ACME")).isEqualTo("new");
            }
            assertThat(Duration.ofNanos(clock.nanos() - start)).isEqualTo(Duration.ofSeconds(1));
        });
    }
}
