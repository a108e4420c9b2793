package dev.ratelimit.spring;

import static dev.ratelimit.spring.LimitedApp.denied;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RateLimitedExpressionTest {
    private final LimitedApp app = new LimitedApp();

    record Report(int pages, @Nullable String tenant) {}

    static class Reports {
        @RateLimited(limit = "3/1m", key = "#tenant")
        public String keyed(String tenant) {
            return tenant;
        }

        @RateLimited(limit = "10/1m", key = "#report.tenant", tokens = "#report.pages")
        public int weighted(Report report) {
            return report.pages();
        }

        @RateLimited(limit = "1/1m", key = "#tenants['first'] + '/' + #names[0]")
        public void indexed(Map<String, String> tenants, List<String> names) {}
    }

    static class Weights {
        @RateLimited(limit = "10/1m", tokens = "#cost")
        public void costs(Number cost) {}

        @RateLimited(value = "dear", key = "#list.?[#this > 3].![toString()]")
        public void selected(List<Integer> list) {}

        @RateLimited(value = "dear", key = "#report.tenant.length()")
        public void nullable(@Nullable Report report) {}
    }

    @Test
    void keysByAnArgument() {
        app.with(Reports.class, reports -> {
            for (int i = 0; i < 3; i++) {
                reports.keyed("acme");
                reports.keyed("globex");
            }
            assertThat(denied(() -> reports.keyed("acme")).policies()).containsExactly("Reports.keyed");
            assertThat(reports.keyed("T(java.lang.Runtime).getRuntime()")).isNotEmpty();
        });
    }

    @Test
    void chargesNullToOneSharedBucketAndNotToNone() {
        app.with(Reports.class, reports -> {
            reports.weighted(new Report(6, null));
            denied(() -> reports.weighted(new Report(6, null)));
            reports.weighted(new Report(6, "acme"));
        });
    }

    @Test
    void costsWhatItsExpressionSaysAndAtLeastOne() {
        app.with(Reports.class, reports -> {
            reports.weighted(new Report(4, "acme"));
            reports.weighted(new Report(5, "acme"));
            reports.weighted(new Report(Integer.MIN_VALUE, "acme"));
            denied(() -> reports.weighted(new Report(0, "acme")));
            assertThat(denied(() -> reports.weighted(new Report(11, "acme"))))
                    .hasMessage("rate limit exceeded: Reports.weighted (more tokens than it ever grants)");
        });
    }

    @Test
    void roundsCostsUp() {
        app.runner.withBean(Weights.class).run(context -> {
            Weights several = context.getBean(Weights.class);
            for (int i = 0; i < 3; i++) {
                several.costs(new BigDecimal("2.5"));
            }
            assertThat(denied(() -> several.costs(1.0001)).decisions().get(0).remaining())
                    .isEqualTo(1);
            denied(() -> several.costs(BigInteger.ONE.shiftLeft(64)));
            several.costs(-3.5);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> several.costs(Double.NaN))
                    .withMessage("the tokens of policy Weights.costs must be a number: NaN");
        });
    }

    @Test
    void deniesACostThatIsTooLargeToBeWrittenOut() {
        app.with(Weights.class, several -> {
            BigDecimal cost = new BigDecimal("1e600000000");
            assertThat(denied(() -> several.costs(cost)).decisions().get(0).never())
                    .isTrue();
            several.costs(BigDecimal.ONE.divide(cost));
        });
    }

    @Test
    void readsElementsAndNullsInItsExpressions() {
        app.runner.withBean(Weights.class).run(context -> {
            Weights several = context.getBean(Weights.class);
            several.selected(List.of(1, 5));
            several.selected(List.of(5));
            denied(() -> several.selected(List.of(2, 5)));
            several.selected(List.of(4));
            several.nullable(null);
            several.nullable(new Report(1, null));
            denied(() -> several.nullable(null));
        });
    }

    @Test
    void saysWhatKindOfThingIsNotANumber() {
        app.runner
                .withBean(NotANumber.class)
                .run(context -> assertThatExceptionOfType(IllegalArgumentException.class)
                        .isThrownBy(() -> context.getBean(NotANumber.class).call("secret"))
                        .withMessage("the tokens of policy login must be a number: java.lang.String"));
    }

    static class NotANumber {
        @RateLimited(value = "login", tokens = "#text")
        public void call(String text) {}
    }

    @Test
    void readsMapsAndLists() {
        app.with(Reports.class, reports -> {
            reports.indexed(Map.of("first", "acme"), List.of("a"));
            reports.indexed(Map.of("first", "acme"), List.of("b"));
            denied(() -> reports.indexed(Map.of("first", "acme"), List.of("a")));
        });
    }

    /** All calls share what is known of types; what one is called with is not for another to see. */
    @Test
    void keepsTheArgumentsOfCallsApart() {
        AtomicInteger wrong = new AtomicInteger();
        ArgumentExpression expression = expression("#report.tenant + #report.pages");
        IntStream.range(0, 100_000).parallel().forEach(i -> {
            if (!("t" + i + i).equals(expression.valueFor(new Object[] {new Report(i, "t" + i)}))) {
                wrong.incrementAndGet();
            }
        });
        assertThat(wrong).hasValue(0);
    }

    @Test
    void takesAnArgumentForItself() {
        Report report = new Report(1, "acme");
        assertThat(expression("#report").valueFor(new Object[] {report})).isSameAs(report);
    }

    private static ArgumentExpression expression(String text) {
        try {
            return new ArgumentExpression(text, Reports.class.getMethod("weighted", Report.class), "@RateLimited");
        } catch (NoSuchMethodException e) {
            throw new AssertionError(e);
        }
    }
}
