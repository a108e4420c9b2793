package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.mock.web.MockHttpServletRequest;

@ExtendWith(OutputCaptureExtension.class)
class UntoldProxyTest {
    private final ClientAddress nobodyTrusted = new ClientAddress(List.of(), ForwardedHeader.X_FORWARDED_FOR, 56);

    private static MockHttpServletRequest with(String header) {
        MockHttpServletRequest request = new MockHttpServletRequest();
        request.addHeader(header, "203.0.113.9\r\nsecret");
        return request;
    }

    private static long warnings(CapturedOutput output) {
        return output.getOut()
                .lines()
                .filter(line -> line.contains("RATELIMIT-W02"))
                .count();
    }

    @ParameterizedTest
    @ValueSource(strings = {"X-Forwarded-For", "Forwarded"})
    void saysOnceThatAProxyIsThereThatNobodyTrusts(String header, CapturedOutput output) {
        nobodyTrusted.key(new MockHttpServletRequest());
        assertThat(warnings(output)).isZero();
        for (int i = 0; i < 3; i++) {
            nobodyTrusted.key(with(header));
        }

        assertThat(warnings(output)).isEqualTo(1);
        assertThat(output.getOut())
                .contains("a request came with " + header + ", but")
                .doesNotContain("203.0", "secret");
    }

    @Test
    void saysNothingWhereAProxyIsTrusted(CapturedOutput output) {
        new ClientAddress(List.of(Cidr.parse("127.0.0.1")), ForwardedHeader.X_FORWARDED_FOR, 56)
                .key(with("X-Forwarded-For"));

        assertThat(warnings(output)).isZero();
    }

    @Test
    void looksNoFurtherThanTheFirstThousandRequests(CapturedOutput output) {
        for (int i = 0; i < 1_000; i++) {
            nobodyTrusted.key(new MockHttpServletRequest());
        }
        nobodyTrusted.key(with("X-Forwarded-For"));

        assertThat(warnings(output)).isZero();
    }
}
