package dev.ratelimit.spring.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.ManualClock;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.coyote.http2.Http2Protocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** A client that takes back what it asked for has asked all the same (CVE-2023-44487). */
@ExtendWith(Silence.class)
class StreamResetTest {
    private static final int STREAMS = 1_000;

    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int END_STREAM_AND_HEADERS = 5;

    @Test
    void letsNoMoreThroughOnOneConnectionThanTheLimitAllows() throws IOException {
        try (ConfigurableApplicationContext context = Container.TOMCAT.start(
                Application.class,
                "logging.level.root=off",
                "ratelimit.policies.all.limits=50/1d",
                "ratelimit.policies.all.paths=/**",
                "ratelimit.policies.all.key=global")) {
            resetStreams(Container.port(context));

            int entries = context.getBean(Application.class).entries.get();
            assertThat(entries).isBetween(1, 50);
            assertThat(Tokens.spent(context, "all")).isGreaterThanOrEqualTo(entries);
        }
    }

    /** Opens streams and resets all but the last, whose answer it waits for. */
    private static void resetStreams(int port) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(30_000);
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            frame(out, SETTINGS, 0, 0, new byte[0]);
            int last = 2 * STREAMS - 1;
            for (int stream = 1; stream <= last; stream += 2) {
                frame(out, HEADERS, END_STREAM_AND_HEADERS, stream, getSlash());
                if (stream < last) {
                    frame(out, RST_STREAM, 0, stream, new byte[] {0, 0, 0, /* CANCEL */ 8});
                }
            }
            out.flush();
            awaitHeaders(new DataInputStream(socket.getInputStream()), last);
        }
    }

    /** {@code GET http /} of HPACK's static table, and an authority in full (RFC 7541, appendix A). */
    private static byte[] getSlash() {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        block.writeBytes(new byte[] {(byte) 0x82, (byte) 0x86, (byte) 0x84, 0x01, 9});
        block.writeBytes("localhost".getBytes(StandardCharsets.US_ASCII));
        return block.toByteArray();
    }

    private static void frame(DataOutputStream out, int type, int flags, int stream, byte[] payload)
            throws IOException {
        out.writeByte(payload.length >> 16);
        out.writeShort(payload.length);
        out.writeByte(type);
        out.writeByte(flags);
        out.writeInt(stream);
        out.write(payload);
    }

    private static void awaitHeaders(DataInputStream in, int stream) throws IOException {
        int type;
        int of;
        do {
            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
            type = in.readUnsignedByte();
            in.readUnsignedByte();
            of = in.readInt();
            in.readFully(new byte[length]);
        } while (type != HEADERS || of != stream);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @RestController
    static class Application {
        private final AtomicInteger entries = new AtomicInteger();

        @Bean
        static ManualClock clock() {
            return new ManualClock(ThreadLocalRandom.current().nextLong());
        }

        /** HTTP/2 in clear text, without Tomcat's own defence, which would end the connection first. */
        @Bean
        static WebServerFactoryCustomizer<TomcatServletWebServerFactory> http2() {
            return factory -> factory.addConnectorCustomizers(connector -> {
                Http2Protocol protocol = new Http2Protocol();
                protocol.setOverheadResetFactor(0);
                protocol.setMaxConcurrentStreams(STREAMS);
                connector.addUpgradeProtocol(protocol);
            });
        }

        @GetMapping("/")
        String enter() {
            entries.incrementAndGet();
            return "entered";
        }
    }
}
