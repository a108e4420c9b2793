package dev.ratelimit.spring.web;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;

/** Sends requests that no HTTP client would write. */
final class Wire {
    private static final int TIMEOUT_MILLIS = 10_000;

    private Wire() {}

    /** Sends a request line and more header lines, and returns all that comes back until the connection ends. */
    static String send(int port, String requestLine, String... headers) throws IOException {
        String request = requestLine + "\r\nHost: localhost\r\nConnection: close\r\n"
                + String.join("", Stream.of(headers).map(line -> line + "\r\n").toList()) + "\r\n";
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        } catch (SocketException e) {
            return ""; // the server hung up on what it would not read
        }
    }
}
