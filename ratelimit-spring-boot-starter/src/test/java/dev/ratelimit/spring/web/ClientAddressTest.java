package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Limit;
import dev.ratelimit.LocalRateLimiter;
import dev.ratelimit.ManualClock;
import dev.ratelimit.Policy;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.Keys;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.mock.web.MockHttpServletRequest;

class ClientAddressTest {
    private static final String PROXY = "10.0.0.1";
    private static final String FORWARDED_FOR = "X-Forwarded-For";

    private final ClientAddress nobodyTrusted = of(ForwardedHeader.X_FORWARDED_FOR);
    private final ClientAddress proxied = of(ForwardedHeader.X_FORWARDED_FOR, "10.0.0.0/8", "fd00::/8");
    private final ClientAddress forwarded = of(ForwardedHeader.FORWARDED, "10.0.0.0/8", "fd00::/8");

    private static ClientAddress of(ForwardedHeader header, String... trusted) {
        return new ClientAddress(Stream.of(trusted).map(Cidr::parse).toList(), header, 56);
    }

    private static MockHttpServletRequest request(String peer, String header, String... lines) {
        MockHttpServletRequest request = new MockHttpServletRequest();
        request.setRemoteAddr(peer);
        for (String line : lines) {
            request.addHeader(header, line);
        }
        return request;
    }

    private static String ip(String address) {
        return Keys.of("ip", address);
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, 127.0.0.1",
        "::ffff:127.0.0.1, 127.0.0.1",
        "0:0:0:0:0:ffff:7f00:1, 127.0.0.1",
        "0:0:0:0:0:0:0:1, 0:0:0:0::/56",
        "[2001:db8:0:1ff::1], 2001:db8:0:100::/56",
        "fe80:0:0:0:0:0:0:1%eth0, fe80:0:0:0::/56"
    })
    void isThatOfTheSocketHoweverTheServerWritesIt(String peer, String address) {
        assertThat(nobodyTrusted.key(request(peer, FORWARDED_FOR, "203.0.113.9")))
                .isEqualTo(ip(address));
        assertThat(of(ForwardedHeader.FORWARDED, "192.0.2.0/24").key(request(peer, FORWARDED_FOR, "203.0.113.9")))
                .isEqualTo(ip(address));
    }

    @Test
    void isThatBelowEveryWrapper() {
        HttpServletRequestWrapper believer = new HttpServletRequestWrapper(request("192.0.2.1", FORWARDED_FOR)) {
            @Override
            public String getRemoteAddr() {
                return "203.0.113.9";
            }
        };

        assertThat(nobodyTrusted.key(new HttpServletRequestWrapper(believer))).isEqualTo(ip("192.0.2.1"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "unix", "proxy.example", "unknown"})
    void isOneBucketForAllWhoHaveNone(String peer) {
        assertThat(nobodyTrusted.key(request(peer, FORWARDED_FOR, "203.0.113.9")))
                .isEqualTo(Keys.UNATTRIBUTED);
        assertThat(proxied.key(request(peer, FORWARDED_FOR, "203.0.113.9"))).isEqualTo(Keys.UNATTRIBUTED);
        assertThat(proxied.of(request(peer, FORWARDED_FOR, "203.0.113.9"))).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "203.0.113.9 | 203.0.113.9",
                "198.51.100.7, 203.0.113.9 | 203.0.113.9",
                "198.51.100.7, 203.0.113.9, 10.2.3.4 | 203.0.113.9",
                "198.51.100.7,203.0.113.9 ,\t10.2.3.4, fd00::7 | 203.0.113.9",
                "198.51.100.7, 203.0.113.9:4711, 10.2.3.4:80, [fd00::7]:80 | 203.0.113.9",
                "unknown, 203.0.113.9 | 203.0.113.9",
                "203.0.113.9, ::ffff:10.2.3.4 | 203.0.113.9",
                "::ffff:203.0.113.9 | 203.0.113.9",
                "2001:db8::1 | 2001:db8:0:0::/56",
                "10.9.9.9, 10.8.8.8 | 10.9.9.9",
                ",, 203.0.113.9, ,| 203.0.113.9",
                "203.0.113.9, unknown | 10.0.0.1",
                "203.0.113.9, _hidden, 10.2.3.4 | 10.0.0.1",
                "203.0.113.9, proxy.example | 10.0.0.1",
                "203.0.113.9, 010.2.3.4 | 10.0.0.1",
                "203.0.113.9; 10.2.3.4 | 10.0.0.1",
                "\"203.0.113.9\" | 10.0.0.1",
                "203.0.113.9, 10.2.3.4, <script> | 10.0.0.1",
                "'' | 10.0.0.1",
                "' , ' | 10.0.0.1"
            })
    void isTheLastHopThatIsNoTrustedProxy(String field, String client) {
        assertThat(proxied.key(request(PROXY, FORWARDED_FOR, field))).isEqualTo(ip(client));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "for=203.0.113.9 | 203.0.113.9",
                "For=203.0.113.9;proto=http;by=10.0.0.1 | 203.0.113.9",
                "proto=http;by=192.0.2.1;FOR=203.0.113.9 | 203.0.113.9",
                "for=198.51.100.7, for=203.0.113.9 | 203.0.113.9",
                "for=198.51.100.7 , for=\"203.0.113.9:80\" ; proto=http , for=10.2.3.4 | 203.0.113.9",
                "for=\"[2001:db8:cafe::17]:4711\" | 2001:db8:cafe:0::/56",
                "for=\"[2001:db8:cafe::17]:_port\" | 2001:db8:cafe:0::/56",
                "for=\"[::ffff:203.0.113.9]\" | 203.0.113.9",
                "for=[2001:db8::1] | 2001:db8:0:0::/56",
                "for=203.0.113.9;host=\"a,b;for=1.1.1.1\" | 203.0.113.9",
                "for=203.0.113.9;host=\"a\\\",for=1.1.1.1\" | 203.0.113.9",
                "host=\"a\\\\\";for=203.0.113.9 | 203.0.113.9",
                "for=\", for=203.0.113.9 | 203.0.113.9",
                "for=\"\\, for=203.0.113.9 | 203.0.113.9",
                "x\", for=203.0.113.9;host=\"h\" | 203.0.113.9",
                "for=10.9.9.9, for=10.8.8.8 | 10.9.9.9",
                "for=203.0.113.9, for=unknown | 10.0.0.1",
                "for=203.0.113.9, for=\"_hidden\", for=10.2.3.4 | 10.0.0.1",
                "for=203.0.113.9, proto=http | 10.0.0.1",
                "for=203.0.113.9, for=10.2.3.4;for=10.2.3.5 | 10.0.0.1",
                "for=203.0.113.9, for=1.1.1.1;for=10.2.3.5 | 10.0.0.1",
                "for=203.0.113.9, for=\"1.1.1\\.1\" | 10.0.0.1",
                "for=203.0.113.9, for=\"1.1.1.1 | 10.0.0.1",
                "for =203.0.113.9 | 10.0.0.1",
                "203.0.113.9 | 10.0.0.1",
                "for= | 10.0.0.1",
                "xfor=203.0.113.9 | 10.0.0.1"
            })
    void isTheLastHopOfTheStandardHeaderToo(String field, String client) {
        assertThat(forwarded.key(request(PROXY, "Forwarded", field))).isEqualTo(ip(client));
    }

    @Test
    void isThatOfATrustedProxyThatDoesNotTell() {
        assertThat(proxied.key(request(PROXY, FORWARDED_FOR))).isEqualTo(ip(PROXY));
        assertThat(proxied.key(request(PROXY, "Forwarded", "for=203.0.113.9"))).isEqualTo(ip(PROXY));
        assertThat(forwarded.key(request(PROXY, FORWARDED_FOR, "203.0.113.9"))).isEqualTo(ip(PROXY));
    }

    @ParameterizedTest
    @CsvSource({
        "'198.51.100.7|203.0.113.9,10.2.3.4'",
        "'198.51.100.7,203.0.113.9|10.2.3.4'",
        "'198.51.100.7|203.0.113.9|10.2.3.4'",
        "'198.51.100.7|203.0.113.9||10.2.3.4'",
        "'|198.51.100.7,203.0.113.9,10.2.3.4,'"
    })
    void readsSeveralLinesAsOneList(String lines) {
        assertThat(proxied.key(request(PROXY, FORWARDED_FOR, lines.split("\\|"))))
                .isEqualTo(ip("203.0.113.9"));
    }

    @ParameterizedTest
    @EnumSource(ForwardedHeader.class)
    void isNeverChangedByWhatAnUntrustedPeerSends(ForwardedHeader header) {
        Random random = new Random(1);
        ClientAddress client = of(header, "10.0.0.0/8", "fd00::/8");
        for (int i = 0; i < 50_000; i++) {
            String peer = i % 2 == 0 ? "192.0.2.1" : "2001:db8::1";
            MockHttpServletRequest request = request(peer, header.fieldName(), fuzz(random));
            if (random.nextInt(4) == 0) {
                request.addHeader(header.fieldName(), fuzz(random));
            }
            assertThat((i % 4 < 2 ? client : nobodyTrusted).key(request))
                    .isEqualTo(i % 2 == 0 ? ip("192.0.2.1") : ip("2001:db8:0:0::/56"));
        }
    }

    @ParameterizedTest
    @EnumSource(ForwardedHeader.class)
    void isNeverChangedByWhatStandsLeftOfTheHopThatTheProxyAdded(ForwardedHeader header) {
        Random random = new Random(2);
        ClientAddress client = of(header, "10.0.0.0/8", "fd00::/8");
        String hop = header == ForwardedHeader.FORWARDED ? "for=203.0.113.9;host=\"a,b\"" : "203.0.113.9";
        for (int i = 0; i < 50_000; i++) {
            MockHttpServletRequest request = random.nextBoolean()
                    ? request(PROXY, header.fieldName(), fuzz(random) + ", " + hop)
                    : request(PROXY, header.fieldName(), fuzz(random), hop);
            assertThat(client.key(request)).isEqualTo(ip("203.0.113.9"));
        }
    }

    private static String fuzz(Random random) {
        List<String> pieces = List.of(
                ",",
                ", ",
                ";",
                "for=",
                "For=",
                "by=",
                "\"",
                "\\",
                "[",
                "]",
                ":",
                "::",
                ".",
                "%",
                "_",
                "unknown",
                "1.2.3.4",
                "10.0.0.9",
                "2001:db8::7",
                "fd00::1",
                "::ffff:10.0.0.2",
                "\t",
                " ",
                "8080",
                "f",
                "\u00e9",
                "999");
        StringBuilder text = new StringBuilder();
        for (int length = random.nextInt(12); length >= 0; length--) {
            text.append(pieces.get(random.nextInt(pieces.size())));
        }
        return text.toString();
    }

    @Test
    void admitsAClientNoMoreThanItsShareWhateverItSends() {
        Random random = new Random(3);
        assertThat(admitted(1_000, i -> request("192.0.2.1", FORWARDED_FOR, fuzz(random))))
                .isEqualTo(5);
        assertThat(admitted(1_000, i -> request(PROXY, FORWARDED_FOR, fuzz(random) + ", 203.0.113.9")))
                .isEqualTo(5);
        assertThat(admitted(1_000, i -> request(PROXY, FORWARDED_FOR, "203.0.113.9:" + i)))
                .isEqualTo(5);
        assertThat(admitted(1_000, i -> request(PROXY, FORWARDED_FOR, "2001:db8::1%" + i)))
                .isEqualTo(5);
        assertThat(admitted(1_000, i -> request(PROXY, FORWARDED_FOR, "no-address-" + i)))
                .isEqualTo(5);
        assertThat(admitted(1_000, i -> request(PROXY, FORWARDED_FOR))).isEqualTo(5);
    }

    @Test
    void isOneForAllAddressesOfAnIpv6Network() {
        Random random = new Random(7);
        assertThat(admitted(
                        65_536,
                        i -> request(
                                String.format("2001:db8:0:1%02x:%x::%x", i & 0xff, random.nextInt(0x10000), i),
                                FORWARDED_FOR)))
                .isEqualTo(5);
        assertThat(admitted(65_536, i -> request(String.format("2001:db8:0:%x::1", i & 0x1ff), FORWARDED_FOR)))
                .isEqualTo(10);
        assertThat(admitted(65_536, i -> request(PROXY, FORWARDED_FOR, String.format("2001:db8:0:%x::1", i & 0x1ff))))
                .isEqualTo(10);
    }

    @ParameterizedTest
    @CsvSource({"32, 1", "48, 1", "56, 256", "63, 32768", "64, 65536"})
    void tellsAsManyIpv6NetworksApartAsThePrefixSays(int prefix, int networks) {
        ClientAddress client = new ClientAddress(List.of(), ForwardedHeader.X_FORWARDED_FOR, prefix);
        Set<String> keys = new HashSet<>();
        for (int i = 0; i < 65_536; i++) {
            keys.add(client.key(request("2001:db8:0:" + Integer.toHexString(i) + "::1", FORWARDED_FOR)));
        }
        assertThat(keys).hasSize(networks);
    }

    private interface Requests {
        MockHttpServletRequest next(int i);
    }

    private int admitted(int tries, Requests requests) {
        RateLimiter limiter =
                LocalRateLimiter.builder().clock(new ManualClock(9)).build();
        Policy policy = Policy.of("api", Limit.parse("5/1m"));
        int admitted = 0;
        for (int i = 0; i < tries; i++) {
            admitted +=
                    limiter.tryConsume(policy, proxied.key(requests.next(i)), 1).allowed() ? 1 : 0;
        }
        return admitted;
    }
}
