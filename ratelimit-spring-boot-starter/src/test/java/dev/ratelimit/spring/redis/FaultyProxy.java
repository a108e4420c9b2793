package dev.ratelimit.spring.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import javax.net.ServerSocketFactory;

/** Stands between a client and a server and spoils what passes, until it is told to {@link #heal}. */
final class FaultyProxy implements AutoCloseable {
    private final ServerSocket listener;
    private final int target;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final AtomicLong bytesUntilReset = new AtomicLong(Long.MAX_VALUE);
    private volatile long latencyNanos;
    private volatile boolean silent;
    private volatile boolean resetting;

    FaultyProxy(int target) {
        this(target, ServerSocketFactory.getDefault());
    }

    /** Creates one for clients who speak what those sockets do, TLS for one, to a server who does not. */
    FaultyProxy(int target, ServerSocketFactory sockets) {
        this.target = target;
        try {
            listener = sockets.createServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
        daemon(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    /** Holds answers back for once to twice as long; what arrives meanwhile passes together. */
    void delayAnswers(long millis) {
        latencyNanos = TimeUnit.MILLISECONDS.toNanos(millis);
    }

    /** Accepts connections and lets nothing pass, as a server that hangs; what waits passes in the end. */
    void fallSilent() {
        silent = true;
    }

    /** Lets nothing ever pass over the connections that are open, as a router that forgot them; new ones are well. */
    void strand() {
        links.forEach(link -> link.stranded = true);
    }

    /** Resets the connections that are open, and new ones as soon as they are made. */
    void resetAll() {
        resetting = true;
        links.forEach(Link::reset);
    }

    /** Resets the connection on which the next {@code bytes} bytes of answers are exceeded, in the middle of an answer. */
    void resetAfter(long bytes) {
        bytesUntilReset.set(bytes);
    }

    void heal() {
        latencyNanos = 0;
        bytesUntilReset.set(Long.MAX_VALUE);
        resetting = false;
        silent = false;
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException ignored) {
            // it accepts no more all the same
        }
        links.forEach(Link::reset);
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                Link link = new Link(client, new Socket());
                if (resetting) {
                    link.reset();
                } else {
                    daemon(link::open);
                }
            } catch (IOException closed) {
                // or the client is gone, which is no matter
            }
        }
    }

    private static void daemon(Runnable task) {
        Thread thread = new Thread(task, "faulty-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    /** A connection from the client, and the one to the server that belongs to it. */
    private final class Link {
        private final Socket client;
        private final Socket server;
        private volatile boolean stranded;

        Link(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        void open() {
            links.add(this);
            try {
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target));
                daemon(() -> passOn(client, server));
                passOn(server, client);
            } catch (IOException serverGone) {
                reset();
            }
        }

        private void passOn(Socket from, Socket to) {
            boolean answers = from.equals(server);
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                byte[] buffer = new byte[64 * 1024];
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    if (answers) {
                        LockSupport.parkNanos(latencyNanos);
                    }
                    while ((silent || stranded) && !from.isClosed()) {
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
                    }
                    if (answers && bytesUntilReset.addAndGet(-read) < 0) {
                        bytesUntilReset.set(Long.MAX_VALUE);
                        out.write(buffer, 0, read / 2);
                        break;
                    }
                    out.write(buffer, 0, read);
                }
            } catch (IOException gone) {
                // and so the other end goes too
            }
            reset();
        }

        void reset() {
            links.remove(this);
            for (Socket each : new Socket[] {client, server}) {
                try {
                    each.setSoLinger(true, 0);
                    each.close();
                } catch (IOException closedAlready) {
                    // that is all we want
                }
            }
        }
    }
}
