package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.OnFailure;
import io.lettuce.core.internal.HostAndPort;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DnsResolver;
import io.lettuce.core.resource.MappingSocketAddressResolver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * Threads that ask for tokens, about 2,000 times a second, while a test hurts the Redis behind their limiter; and what they saw.
 *
 * <p>A {@link Phase} has keys of its own, all of them with {@link #CAPACITY} tokens and none to come; in a cluster one on each
 * master, which are asked for in turn. Only the policy {@code steady} never runs out of them, and denies without Redis: its
 * admissions tell that Redis is there.
 */
final class FaultLoad implements AutoCloseable {
    static final int CAPACITY = 20;
    static final int THREADS = 8;

    /** Rounds of a thread at least, for each master, so that all together ask for more than there is. */
    private static final int ROUNDS = 10;

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /** How many admissions in a row mean that Redis is back, and how long to wait for that. */
    private static final int STREAK = 100;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final Policy steady = Policy.of("steady", Limit.of(1_000_000_000, Duration.ofSeconds(1)));
    private final Policy local = policy("local");
    private final Policy deny = policy("deny");
    private final Policy allow = policy("allow");

    private final int masters;
    private final LettuceConnectionFactory connections;
    private final @Nullable ClientResources resources; // of its own
    private final RedisRateLimiter limiter;
    private final LongAdder degraded = new LongAdder();
    private final Queue<Throwable> thrown = new ConcurrentLinkedQueue<>();
    private final Queue<Long> nanos = new ConcurrentLinkedQueue<>();

    private FaultLoad(int masters, LettuceConnectionFactory connections) {
        this(masters, connections, null);
    }

    private FaultLoad(int masters, LettuceConnectionFactory connections, @Nullable ClientResources resources) {
        this.masters = masters;
        this.connections = connections;
        this.resources = resources;
        connections.afterPropertiesSet();
        limiter = RedisRateLimiter.builder(connections)
                .timeout(Proofs.TIMEOUT)
                .onFailure(FaultLoad::onFailure)
                .degraded(policy -> degraded.increment())
                .build();
    }

    static FaultLoad on(int port) {
        return new FaultLoad(1, new LettuceConnectionFactory("127.0.0.1", port));
    }

    static FaultLoad on(RedisSentinelConfiguration sentinel) {
        return new FaultLoad(1, new LettuceConnectionFactory(sentinel));
    }

    static FaultLoad on(RedisCluster cluster) {
        return new FaultLoad(
                RedisCluster.MASTERS, new LettuceConnectionFactory(new RedisClusterConfiguration(cluster.addresses())));
    }

    /** On one to whose first master the proxy is the way. */
    static FaultLoad on(RedisCluster cluster, FaultyProxy proxy) {
        int port = cluster.master(0).port();
        ClientResources resources = ClientResources.builder()
                .socketAddressResolver(MappingSocketAddressResolver.create(
                        DnsResolver.unresolved(),
                        node -> node.getPort() == port ? HostAndPort.of(node.getHostText(), proxy.port()) : node))
                .build();
        return new FaultLoad(
                RedisCluster.MASTERS,
                new LettuceConnectionFactory(
                        new RedisClusterConfiguration(cluster.addresses()),
                        LettuceClientConfiguration.builder()
                                .clientResources(resources)
                                .build()),
                resources);
    }

    private static Policy policy(String onFailure) {
        return Policy.of(onFailure, Limit.of(CAPACITY, Duration.ofDays(1)));
    }

    private static OnFailure onFailure(String policy) {
        return policy.equals("local") ? OnFailure.LOCAL : policy.equals("allow") ? OnFailure.ALLOW : OnFailure.DENY;
    }

    /** How many decisions Redis did not make. */
    long degraded() {
        return degraded.sum();
    }

    /** Whether the limiter knows of a server that fails. */
    boolean isFailing() {
        return limiter.stats().isFailing();
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for threads to end
    public void close() {
        limiter.close();
        connections.destroy();
        if (resources != null) {
            resources.shutdown(0, 0, TimeUnit.SECONDS);
        }
    }

    /** What came of the claims of a phase. */
    static final class Phase {
        private final String name;
        private final Map<String, LongAdder> tried = new ConcurrentHashMap<>();
        private final Map<String, LongAdder> admitted = new ConcurrentHashMap<>();
        private final AtomicInteger streak = new AtomicInteger();
        private volatile long lastFailure;
        private volatile long event;

        private Phase(String name) {
            this.name = name;
        }

        long tried(String what) {
            return tried.getOrDefault(what, new LongAdder()).sum();
        }

        long admitted(String what) {
            return admitted.getOrDefault(what, new LongAdder()).sum();
        }

        /** How many of them were of the key on that master of a cluster. */
        long admitted(String what, int master) {
            return admitted(on(master, what));
        }

        long tried(String what, int master) {
            return tried(on(master, what));
        }

        private static String on(int master, String what) {
            return what + " on " + master;
        }

        /** Milliseconds from the event of the phase until Redis failed no longer. */
        long recoveryMillis() {
            return Math.max(0, TimeUnit.NANOSECONDS.toMillis(lastFailure - event));
        }

        private void count(int master, String what, boolean allowed) {
            for (String each : new String[] {what, on(master, what)}) {
                tried.computeIfAbsent(each, any -> new LongAdder()).increment();
                if (allowed) {
                    admitted.computeIfAbsent(each, any -> new LongAdder()).increment();
                }
            }
            if (what.equals("steady")) {
                if (allowed) {
                    streak.incrementAndGet();
                } else {
                    streak.set(0);
                    lastFailure = System.nanoTime();
                }
            }
        }
    }

    /** Asks for a while. */
    Phase run(String name, long millis) {
        return run(name, millis, () -> {}, false);
    }

    /** Asks for a while, in the middle of which something happens. */
    Phase run(String name, long millis, Runnable event) {
        return run(name, millis, event, false);
    }

    /** Asks until Redis is there, after something has happened. */
    Phase runUntilWell(String name, Runnable event) {
        return run(name, 0, event, true);
    }

    private Phase run(String name, long millis, Runnable event, boolean untilWell) {
        Phase phase = new Phase(name);
        long start = System.nanoTime();
        phase.lastFailure = start;
        phase.event = start;
        AtomicInteger running = new AtomicInteger(THREADS);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(() -> {
                for (int rounds = 0; ; rounds++) {
                    long elapsed = System.nanoTime() - start;
                    boolean enough = untilWell
                            ? phase.streak.get() >= STREAK || elapsed > PATIENCE_NANOS
                            : elapsed >= TimeUnit.MILLISECONDS.toNanos(millis);
                    if (enough && rounds >= ROUNDS * masters && phase.event != start) {
                        break;
                    }
                    round(phase, rounds % masters);
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
                running.decrementAndGet();
            });
            thread.start();
            threads.add(thread);
        }
        LockSupport.parkNanos(PAUSE_NANOS);
        event.run();
        phase.streak.set(0);
        phase.event = System.nanoTime();
        threads.forEach(FaultLoad::join);
        if (untilWell) {
            assertThat(phase.streak.get()).as("admissions in a row, " + name).isGreaterThanOrEqualTo(STREAK);
        }
        return phase;
    }

    private void round(Phase phase, int master) {
        String key = key(phase.name, master);
        ask(phase, master, "steady", new Claim(steady, key, 1));
        ask(phase, master, "spent", new Claim(local, key("spent", master), 1));
        ask(phase, master, "local", new Claim(local, key, 1));
        ask(phase, master, "deny", new Claim(deny, key, 1));
        ask(phase, master, "allow", new Claim(allow, key, 1));
        String both = key(phase.name + " both", master);
        ask(phase, master, "both", new Claim(steady, both, 1), new Claim(local, both, 1));
        timed(() -> limiter.refund(steady, key, 1));
        timed(() -> limiter.charge(steady, key, 1));
        timed(() -> limiter.peek(local, key, 1));
    }

    private String key(String name, int master) {
        return masters == 1 ? name : RedisCluster.keyOn(master, name);
    }

    private void ask(Phase phase, int master, String what, Claim... claims) {
        timed(() -> {
            List<Decision> decisions = limiter.tryConsume(List.of(claims));
            phase.count(master, what, decisions.stream().allMatch(Decision::allowed));
        });
    }

    private void timed(Runnable task) {
        long start = System.nanoTime();
        try {
            task.run();
        } catch (Throwable failed) {
            thrown.add(failed);
        }
        nanos.add(System.nanoTime() - start);
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    /** What the limiter threw, which is to be nothing. */
    List<Throwable> thrown() {
        return List.copyOf(thrown);
    }

    /** Empties the record of how long calls took. */
    void forget() {
        nanos.clear();
    }

    /** How long decisions took, and other calls. */
    Latencies latencies() {
        long[] sorted = nanos.stream().mapToLong(Long::longValue).toArray();
        Arrays.sort(sorted);
        return new Latencies(sorted);
    }

    static final class Latencies {
        private final long[] sorted;

        private Latencies(long[] sorted) {
            this.sorted = sorted;
        }

        int count() {
            return sorted.length;
        }

        double millis(double quantile) {
            return sorted[(int) Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] / 1e6;
        }
    }
}
