package dev.ratelimit.spring.soak;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Locale;

/** A client's connection that is kept alive, and sends any bytes; a client of the JDK would refuse hostile ones. Not thread-safe. */
final class Connection implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 60_000;
    private static final String LENGTH = "content-length: ";

    private final Socket socket;
    private final InputStream in;

    Connection(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MILLIS);
        in = new BufferedInputStream(socket.getInputStream());
    }

    /**
     * An answer.
     *
     * @param head its status and fields, in lower case
     */
    record Answer(String head) {
        private static final int STATUS_AT = "http/1.1 ".length();

        int status() {
            return Integer.parseInt(head.substring(STATUS_AT, STATUS_AT + 3));
        }

        /** What is left to the client under a policy, or {@code unknown} if that is not said. */
        long remaining(String policy, long unknown) {
            String left = '"' + policy + "\";r=";
            int at = head.indexOf(left);
            if (at < 0) {
                return unknown;
            }
            int end = at + left.length();
            while (Character.isDigit(head.charAt(end))) {
                end++;
            }
            return Long.parseLong(head.substring(at + left.length(), end));
        }

        boolean closes() {
            return head.contains("connection: close");
        }
    }

    /** Sends a request for a path with those lines of fields, each with its line break. */
    Answer get(String path, String fields) throws IOException {
        socket.getOutputStream()
                .write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n").getBytes(ISO_8859_1));
        Answer answer = new Answer(head());
        int at = answer.head.indexOf(LENGTH);
        if (at >= 0) {
            int start = at + LENGTH.length();
            in.skipNBytes(Long.parseLong(answer.head.substring(start, answer.head.indexOf('\r', start))));
        } else if (answer.head.contains("chunked")) {
            skipChunks();
        }
        return answer;
    }

    private String head() throws IOException {
        StringBuilder head = new StringBuilder();
        String line = line();
        while (!line.isEmpty()) {
            head.append(line).append("\r\n");
            line = line();
        }
        return head.toString().toLowerCase(Locale.ROOT);
    }

    private void skipChunks() throws IOException {
        int length = Integer.parseInt(line(), 16);
        while (length > 0) {
            in.skipNBytes(length + 2L);
            length = Integer.parseInt(line(), 16);
        }
        line();
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int read = in.read();
        while (read != '\n') {
            if (read < 0) {
                throw new EOFException("the server hung up");
            }
            line.write(read);
            read = in.read();
        }
        return line.toString(ISO_8859_1).stripTrailing();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
