package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IpAddressTest {

    private static @Nullable IpAddress hop(String text) {
        return IpAddress.parseHop(text, 0, text.length());
    }

    private static IpAddress address(String text) {
        return Objects.requireNonNull(IpAddress.parse(text), text);
    }

    @ParameterizedTest
    @CsvSource({
        "203.0.113.9, 203.0.113.9",
        "203.0.113.9:443, 203.0.113.9",
        "203.0.113.9:0, 203.0.113.9",
        "203.0.113.9:65535, 203.0.113.9",
        "203.0.113.9:_Xport, 203.0.113.9",
        "0.0.0.0, 0.0.0.0",
        "255.255.255.255, 255.255.255.255",
        "::ffff:203.0.113.9, 203.0.113.9",
        "::FFFF:cb00:7109, 203.0.113.9",
        "0:0:0:0:0:ffff:203.0.113.9, 203.0.113.9",
        "0000:0000:0000:0000:0000:ffff:cb00:7109, 203.0.113.9",
        "0000:0000:0000:0000:0000:ffff:203.000.113.009, none",
        "[::ffff:203.0.113.9]:443, 203.0.113.9",
        "::203.0.113.9, 0:0:0:0::/56",
        "::ffff:0:203.0.113.9, 0:0:0:0::/56",
        "2001:db8:1:1ff::1, 2001:db8:1:100::/56",
        "2001:DB8:1:1FF:0:0:0:1, 2001:db8:1:100::/56",
        "2001:0db8:0001:01ff:0000:0000:255.255.255.255, 2001:db8:1:100::/56",
        "[2001:db8:1:1ff::1], 2001:db8:1:100::/56",
        "[2001:db8:1:1ff::1]:443, 2001:db8:1:100::/56",
        "[2001:db8:1:1ff::1%eth0]:443, 2001:db8:1:100::/56",
        "[2001:db8:1:1ff::1]:_hidden, 2001:db8:1:100::/56",
        "fe80::1%eth0, fe80:0:0:0::/56",
        "fe80::1%25:x, fe80:0:0:0::/56",
        "::, 0:0:0:0::/56",
        "::1, 0:0:0:0::/56",
        "1::, 1:0:0:0::/56",
        "1:2:3:4:5:6:7::, 1:2:3:0::/56",
        "::2:3:4:5:6:7:8, 0:2:3:0::/56",
        "1:2:3::7:8, 1:2:3:0::/56",
        "1:2:3:4:5:6:7:8, 1:2:3:0::/56"
    })
    void readsEveryNotationOfAnAddress(String text, String network) {
        IpAddress address = hop(text);

        assertThat(address == null ? "none" : address.network(56)).isEqualTo(network);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "unknown",
                "_hidden",
                "_SEVKISEK",
                "localhost",
                "proxy.example",
                "a",
                "1",
                "127.1",
                "2130706433",
                "0x7f.0.0.1",
                "0x7f000001",
                "1.2.3",
                "1.2.3.",
                ".1.2.3.4",
                "1.2.3.4.",
                "1..3.4",
                "1.2.3.4.5",
                "256.1.1.1",
                "1.2.3.999",
                "1.2.3.99999999999",
                "010.0.0.1",
                "1.2.3.00",
                "1.2.3.-4",
                "+1.2.3.4",
                "1.2.3.4 ",
                "1.2.3.4:",
                "1.2.3.4:x",
                "1.2.3.4:123456",
                "1.2.3.4:-1",
                "1.2.3.4%eth0",
                "[1.2.3.4]",
                "[1.2.3.4]:80",
                "1.2.3.4/8",
                "\u0661.2.3.4",
                ":",
                ":1",
                "1:",
                ":::",
                "1:::2",
                "::1::",
                "1::2::3",
                ":1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:",
                "1:2:3:4:5:6:7",
                "1:2:3:4:5:6:7:8:9",
                "1:2:3:4::5:6:7:8",
                "::1:2:3:4:5:6:7:8",
                "12345::",
                "g::",
                "::1%",
                "[",
                "]",
                "[]",
                "[::1",
                "::1]",
                "[::1]x",
                "[::1]:",
                "[::1]80",
                "[::1]:x",
                "[[::1]]",
                "[::1]:123456",
                "[::1%]",
                "::1.2.3",
                "::1.2.3.4:5",
                "1.2.3.4::",
                "1:2:3:4:5:6:7:1.2.3.4",
                "::1.2.3.256",
                "\uff11::",
                "::1 ",
                "0000:0000:0000:0000:0000:ffff:255.255.255.2555",
                "00000:0:0:0:0:0:0:1",
                "http://1.2.3.4"
            })
    void takesNothingElseForAnAddress(String text) {
        assertThat(hop(text)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1.2.3.4:80", "[::1]", "::1%eth0"})
    void takesNoPortBracketsOrZoneForPartOfALiteral(String text) {
        assertThat(IpAddress.parse(text)).isNull();
    }

    @Test
    void knowsAnIpv4AddressInFourNotations() {
        Random random = new Random(8);
        for (int i = 0; i < 10_000; i++) {
            int bits = random.nextInt();
            String quad = (bits >>> 24) + "." + (bits >> 16 & 0xff) + '.' + (bits >> 8 & 0xff) + '.' + (bits & 0xff);
            String hex = Integer.toHexString(bits >>> 16) + ':' + Integer.toHexString(bits & 0xffff);

            IpAddress expected = new IpAddress(0, 0xffff_0000_0000L | (bits & 0xffff_ffffL));
            assertThat(hop(quad)).isEqualTo(expected);
            assertThat(hop("::ffff:" + quad)).isEqualTo(expected);
            assertThat(hop("::ffff:" + hex)).isEqualTo(expected);
            assertThat(hop("[0:0:0:0:0:FFFF:" + hex + "]:" + (bits & 0xffff))).isEqualTo(expected);
            assertThat(expected.network(56)).isEqualTo(quad);
        }
    }

    @Test
    void readsIpv6AsThePlatformDoes() {
        Random random = new Random(6);
        int addresses = 0;
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder(random.nextInt(3) == 0 ? "::" : "");
            for (int groups = 1 + random.nextInt(8); groups > 0; groups--) {
                text.append(Integer.toHexString(random.nextInt(0x10000) >>> random.nextInt(16)));
                text.append(groups == 1 ? "" : random.nextInt(6) == 0 ? "::" : ":");
            }
            String literal = text.append(random.nextInt(6) == 0 ? "::" : ":1").toString();
            IpAddress read = IpAddress.parse(literal);
            assertThat(read).as(literal).isEqualTo(readByThePlatform(literal));
            addresses += read == null ? 0 : 1;
        }
        assertThat(addresses).isBetween(10_000, 40_000);
    }

    /** A text with a colon is read as a literal or not at all; no name is looked up. */
    private static @Nullable IpAddress readByThePlatform(String literal) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(InetAddress.getByName(literal).getAddress());
            return bytes.capacity() == 4
                    ? new IpAddress(0, 0xffff_0000_0000L | (bytes.getInt() & 0xffff_ffffL))
                    : new IpAddress(bytes.getLong(), bytes.getLong());
        } catch (UnknownHostException e) {
            return null;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.255.255, true",
        "10.0.0.0/8, 11.0.0.0, false",
        "10.1.2.3/8, 10.9.9.9, true",
        "10.0.0.0/8, ::ffff:10.1.1.1, true",
        "::ffff:10.0.0.0/104, 10.1.1.1, true",
        "::ffff:10.0.0.0/104, 11.1.1.1, false",
        "10.0.0.0/8, ::10.1.1.1, false",
        "0.0.0.0/0, 255.0.0.1, true",
        "0.0.0.0/0, ::1, false",
        "::/0, ffff::1, true",
        "::/0, 10.1.1.1, false",
        "::1, ::1, true",
        "::1, ::2, false",
        "192.0.2.1, 192.0.2.1, true",
        "192.0.2.1, 192.0.2.0, false",
        "192.0.2.1/32, 192.0.2.1, true",
        "2001:db8::/32, 2001:db8:ffff::1, true",
        "2001:db8::/32, 2001:db9::1, false",
        "2001:db8::/63, 2001:db8:0:1::, true",
        "2001:db8::/64, 2001:db8::ffff:0:0:1, true",
        "2001:db8::/64, 2001:db8:0:1::, false",
        "2001:db8::/65, 2001:db8:0:0:8000::, false",
        "2001:db8::/127, 2001:db8::1, true",
        "2001:db8::/127, 2001:db8::2, false"
    })
    void knowsWhatIsInABlock(String block, String address, boolean contained) {
        assertThat(Cidr.parse(block).contains(address(address))).isEqualTo(contained);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/8",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/+8",
                "10.0.0.0/8/8",
                "10.0.0/8",
                "::/129",
                "10.0.0.0/0x8",
                "10.0.0.0/ 8",
                "10.0.0.0/1000",
                "localhost",
                "proxy.example/8",
                "[::1]/128",
                "::1%1",
                "*"
            })
    void takesNothingElseForABlock(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Cidr.parse(text))
                .withMessage("neither an address nor a block such as 10.0.0.0/8: " + text);
    }
}
