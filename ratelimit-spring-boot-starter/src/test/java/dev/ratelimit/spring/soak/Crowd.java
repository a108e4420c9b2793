package dev.ratelimit.spring.soak;

import dev.ratelimit.spring.soak.Connection.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * All who ask: a connection for each account, which never rests but for a moment, and as many for everybody else: clients
 * that return, some of them more often than others; floods of such as never come back; and hostile ones. These come in bursts.
 */
final class Crowd implements AutoCloseable {
    private static final int RETURNING = 20_000;
    private static final long MOMENT_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long BURST_NANOS = TimeUnit.SECONDS.toNanos(4);
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long JOIN_MILLIS = TimeUnit.MINUTES.toMillis(2);

    private static final String[] PATHS = {
        "/local", "/address", "/login/right", "/login/wrong", "/plans", "/changing", "/redis", "/annotated", "/waiting"
    };

    /** What a client may write into any field: some of it answered with 400, none with an error of the server. */
    private static final String[] HOSTILE = {
        "",
        ",",
        "\"",
        "a".repeat(2_000),
        "\u00ff\u0080\u00fe",
        "%00%0d%0aSet-Cookie:%20a=b",
        "${jndi:ldap://127.0.0.1:1/a}",
        "#{T(java.lang.System).exit(1)}",
        "a\u0000b",
        "a\u000bb",
        "{watched}",
        "for=\"[::1\"",
        "::ffff:300.1.1.1, 1.2.3.4.5, [fe80::1%25eth0]:99999",
        "1,".repeat(500),
    };

    private final SoakProcess application;
    private final List<Account> accounts;
    private final AtomicLongArray statuses = new AtomicLongArray(600);
    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean over;

    Crowd(SoakProcess application, List<Account> accounts) {
        this.application = application;
        this.accounts = accounts;
    }

    void start() {
        for (Account account : accounts) {
            run(account.policy(), () -> hammer(account));
            run("everybody", this::wander);
        }
    }

    private interface Asking {
        void run() throws IOException;
    }

    private void run(String name, Asking asking) {
        Thread thread = new Thread(
                () -> {
                    try {
                        asking.run();
                    } catch (IOException | RuntimeException e) {
                        failures.add(name + ": " + e);
                    }
                },
                "soak-" + name);
        threads.add(thread);
        thread.start();
    }

    private void hammer(Account account) throws IOException {
        String policy = account.policy();
        boolean login = policy.equals("login");
        String path = login ? "/login/wrong" : '/' + policy;
        String fields = policy.equals("address")
                ? "X-Forwarded-For: 198.51.100.7\r\n"
                : SoakApplication.CLIENT + ": watched\r\nX-Plan: paid\r\n";
        int charged = login ? 401 : 200;
        try (Connection connection = new Connection(application.port())) {
            for (long i = 0; !over; i++) {
                boolean free = login && i % 2 == 0;
                long sent = System.nanoTime();
                Answer answer = connection.get(free ? "/login/right" : path, fields);
                long answered = System.nanoTime();
                count(answer, path);
                boolean allowed = answer.status() != 429;
                account.note(
                        sent,
                        answered,
                        answer.status() == charged && !free,
                        allowed ? answer.remaining(policy, Account.CAPACITY) : 0);
                LockSupport.parkNanos(MOMENT_NANOS);
            }
        }
    }

    private void wander() throws IOException {
        SplittableRandom random =
                new SplittableRandom(ThreadLocalRandom.current().nextLong());
        while (!over) {
            try (Connection connection = new Connection(application.port())) {
                burst(connection, random);
            }
            LockSupport.parkNanos(random.nextLong(PAUSE_NANOS));
        }
    }

    private void burst(Connection connection, SplittableRandom random) throws IOException {
        long start = System.nanoTime();
        long length = random.nextLong(BURST_NANOS);
        boolean flood = random.nextBoolean();
        boolean open = true;
        while (open && !over && System.nanoTime() - start < length) {
            String path = PATHS[random.nextInt(PATHS.length)];
            Answer answer = connection.get(path, fields(flood, random));
            count(answer, path);
            open = !answer.closes();
        }
    }

    private static String fields(boolean flood, SplittableRandom random) {
        if (random.nextInt(50) == 0) {
            String hostile = HOSTILE[random.nextInt(HOSTILE.length)];
            return SoakApplication.CLIENT + ": " + hostile + "\r\nX-Forwarded-For: " + hostile + "\r\nX-Plan: "
                    + hostile + "\r\n";
        }
        // the third power of an even draw: a quarter of all requests are of the first 1.6 percent
        double draw = random.nextDouble();
        long client = flood ? random.nextLong() : (long) (RETURNING * draw * draw * draw);
        return SoakApplication.CLIENT + ": client-" + client + "\r\nX-Forwarded-For: 10." + (client >> 16 & 255) + '.'
                + (client >> 8 & 255) + '.' + (client & 255) + "\r\nX-Plan: " + (random.nextBoolean() ? "paid" : "free")
                + "\r\n";
    }

    private void count(Answer answer, String path) {
        int status = answer.status();
        statuses.incrementAndGet(status);
        if (status >= 500 && failures.size() < 20) {
            failures.add(path + ": " + answer.head());
        }
    }

    long count(int status) {
        return statuses.get(status);
    }

    long requests() {
        long sum = 0;
        for (int i = 0; i < statuses.length(); i++) {
            sum += statuses.get(i);
        }
        return sum;
    }

    /** What nobody is to see: errors of the server, and connections that break. */
    Queue<String> failures() {
        return failures;
    }

    /** Sends everybody home, and waits until they are gone. */
    @Override
    public void close() {
        over = true;
        try {
            for (Thread each : threads) {
                each.join(JOIN_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
