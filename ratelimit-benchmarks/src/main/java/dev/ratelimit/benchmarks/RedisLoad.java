package dev.ratelimit.benchmarks;

import dev.ratelimit.Claim;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.redis.RedisRateLimiter;
import io.github.bucket4j.BucketConfiguration;
import io.github.bucket4j.distributed.ExpirationAfterWriteStrategy;
import io.github.bucket4j.distributed.proxy.ProxyManager;
import io.github.bucket4j.redis.lettuce.Bucket4jLettuce;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * Loads one Redis in turn with bare PINGs, with this limiter and with bucket4j's, each over one connection, and prints how their
 * requests per second compare with PING's of the same round, and what a request takes of a core here and at Redis, which says
 * something on a busy machine, too; and then what a key takes in Redis. Takes the port of a Redis whose data nobody needs, the
 * number of threads, of rounds, and the seconds of each.
 */
public final class RedisLoad {
    private static final int KEYS = 10_000;

    /** A limit that this load does not reach, and one that it has reached at once. */
    private static final Limit AMPLE = Limit.of(1_000_000_000, Duration.ofSeconds(1));

    private static final Limit SPENT = Limit.of(1, Duration.ofDays(1));

    private RedisLoad() {}

    /** Asks once, or throws if the answer is not the one that is measured. */
    private interface Request {
        void send(String key) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        int threads = args.length > 1 ? Integer.parseInt(args[1]) : 8;
        int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 10;
        long nanos = TimeUnit.SECONDS.toNanos(args.length > 3 ? Integer.parseInt(args[3]) : 3);
        LettuceConnectionFactory connections = new LettuceConnectionFactory("127.0.0.1", port);
        connections.afterPropertiesSet();
        RedisClient client = RedisClient.create(RedisURI.create("127.0.0.1", port));
        ExecutorService clients = Executors.newFixedThreadPool(threads);
        try (RedisRateLimiter limiter = RedisRateLimiter.builder(connections)
                        .timeout(Duration.ofSeconds(10))
                        .degraded(RedisLoad::refuse)
                        .build();
                StatefulRedisConnection<byte[], byte[]> connection = client.connect(ByteArrayCodec.INSTANCE)) {
            compare(requests(limiter, connection), connection, clients, threads, rounds, nanos);
            printBytes(limiter, connection);
        } finally {
            clients.shutdownNow();
            client.shutdown();
            connections.destroy();
        }
    }

    private static void refuse(String policy) {
        throw new IllegalStateException("Redis did not decide under " + policy);
    }

    private static Map<String, Request> requests(
            RedisRateLimiter limiter, StatefulRedisConnection<byte[], byte[]> connection) {
        ProxyManager<byte[]> buckets = bucket4j(connection);
        BucketConfiguration ample = Bucket4j.configuration(AMPLE);
        BucketConfiguration spent = Bucket4j.configuration(SPENT);
        Policy one = Policy.of("one", AMPLE);
        Policy two = Policy.of("two", AMPLE);
        Policy three = Policy.of("three", AMPLE);
        Policy denying = Policy.of("spent", SPENT);
        Map<String, Request> requests = new LinkedHashMap<>();
        requests.put("PING", key -> connection.async().ping().get(10, TimeUnit.SECONDS));
        requests.put("admit", key -> require(limiter.tryConsume(one, key, 1).allowed()));
        requests.put(
                "admit under 3 policies",
                key -> require(limiter.tryConsume(
                                List.of(new Claim(one, key, 1), new Claim(two, key, 1), new Claim(three, key, 1)))
                        .get(0)
                        .allowed()));
        requests.put(
                "bucket4j, admit",
                key -> require(buckets.builder()
                        .build(bytes("b4j:" + key), () -> ample)
                        .tryConsumeAndReturnRemaining(1)
                        .isConsumed()));
        limiter.tryConsume(denying, "spent", 1);
        buckets.builder().build(bytes("b4j:spent"), () -> spent).tryConsume(1);
        requests.put(
                "deny again",
                key -> require(!limiter.tryConsume(denying, "spent", 1).allowed()));
        requests.put(
                "bucket4j, deny again",
                key -> require(!buckets.builder()
                        .build(bytes("b4j:spent"), () -> spent)
                        .tryConsumeAndReturnRemaining(1)
                        .isConsumed()));
        return requests;
    }

    private static ProxyManager<byte[]> bucket4j(StatefulRedisConnection<byte[], byte[]> connection) {
        return Bucket4jLettuce.casBasedBuilder(connection)
                .expirationAfterWrite(
                        ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax(Duration.ofSeconds(1)))
                .build();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void require(boolean expected) {
        if (!expected) {
            throw new IllegalStateException("the wrong decision");
        }
    }

    /** What a load came to: requests a second, and the microseconds of a core that one took of this process and of Redis. */
    private record Load(double perSecond, double microsHere, double microsThere) {}

    private static void compare(
            Map<String, Request> requests,
            StatefulRedisConnection<byte[], byte[]> connection,
            ExecutorService clients,
            int threads,
            int rounds,
            long nanos)
            throws Exception {
        Map<String, Load[]> loads = new LinkedHashMap<>();
        for (int round = -2; round < rounds; round++) { // two to warm up
            for (Map.Entry<String, Request> each : requests.entrySet()) {
                Load load = load(each.getValue(), connection, clients, threads, nanos);
                if (round >= 0) {
                    loads.computeIfAbsent(each.getKey(), name -> new Load[rounds])[round] = load;
                }
            }
        }
        Load[] pings = loads.get("PING");
        System.out.printf("%d threads | a second | times PING | lowest to highest | us here | us at Redis%n", threads);
        loads.forEach((name, load) -> {
            double[] ratios = sorted(rounds, i -> load[i].perSecond / pings[i].perSecond);
            System.out.printf(
                    "%s | %.0f | %.2f | %.2f to %.2f | %.1f | %.1f%n",
                    name,
                    sorted(rounds, i -> load[i].perSecond)[rounds / 2],
                    ratios[rounds / 2],
                    ratios[0],
                    ratios[rounds - 1],
                    sorted(rounds, i -> load[i].microsHere)[rounds / 2],
                    sorted(rounds, i -> load[i].microsThere)[rounds / 2]);
        });
    }

    private static double[] sorted(int size, IntToDoubleFunction each) {
        return IntStream.range(0, size).mapToDouble(each).sorted().toArray();
    }

    private static Load load(
            Request request,
            StatefulRedisConnection<byte[], byte[]> connection,
            ExecutorService clients,
            int threads,
            long nanos)
            throws Exception {
        List<Callable<Long>> work = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            work.add(() -> requests(request, nanos));
        }
        double here = cpuMicrosHere();
        double there = cpuMicrosThere(connection);
        long start = System.nanoTime();
        long requests = 0;
        for (Future<Long> each : clients.invokeAll(work)) {
            requests += each.get();
        }
        long took = System.nanoTime() - start;
        return new Load(
                requests * 1e9 / took,
                (cpuMicrosHere() - here) / requests,
                (cpuMicrosThere(connection) - there) / requests);
    }

    private static double cpuMicrosHere() {
        return ManagementFactory.getPlatformMXBean(com.sun.management.OperatingSystemMXBean.class)
                        .getProcessCpuTime()
                / 1e3;
    }

    private static double cpuMicrosThere(StatefulRedisConnection<byte[], byte[]> connection) {
        return connection
                        .sync()
                        .info("cpu")
                        .lines()
                        .filter(line -> line.startsWith("used_cpu_user:") || line.startsWith("used_cpu_sys:"))
                        .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(':') + 1)))
                        .sum()
                * 1e6;
    }

    private static long requests(Request request, long nanos) throws Exception {
        long start = System.nanoTime();
        long requests = 0;
        while (System.nanoTime() - start < nanos) {
            request.send(Addresses.address(ThreadLocalRandom.current().nextInt(KEYS)));
            requests++;
        }
        return requests;
    }

    /** Compares keys that have just been charged, under one limit and under two. */
    private static void printBytes(RedisRateLimiter limiter, StatefulRedisConnection<byte[], byte[]> connection) {
        Limit hour = Limit.of(1_000, Duration.ofHours(1));
        Limit day = Limit.of(5_000, Duration.ofDays(1));
        limiter.tryConsume(Policy.of("weighed1", hour), "192.0.2.1", 1);
        limiter.tryConsume(Policy.of("weighed2", hour, day), "192.0.2.1", 1);
        bucket4j(connection)
                .builder()
                .build(bytes("weighed3:192.0.2.1"), () -> Bucket4j.configuration(hour))
                .tryConsume(1);
        print(connection, "one limit", "*weighed1*");
        print(connection, "two limits", "*weighed2*");
        print(connection, "bucket4j, one limit", "*weighed3*");
    }

    private static void print(StatefulRedisConnection<byte[], byte[]> connection, String what, String pattern) {
        for (byte[] key : connection.sync().keys(pattern)) {
            System.out.printf(
                    "%s: %d bytes, of which %d are the key%n",
                    what, connection.sync().memoryUsage(key), key.length);
        }
    }
}
