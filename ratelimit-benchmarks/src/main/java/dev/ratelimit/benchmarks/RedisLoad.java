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
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * Loads one Redis in turn with bare PINGs, with this limiter and with bucket4j's, each over one connection, and prints how their
 * requests per second compare with PING's of the same round; and then what a key takes in Redis. Takes the port of a Redis whose
 * data nobody needs, the number of threads, of rounds, and the seconds of each.
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
            compare(requests(limiter, connection), clients, threads, rounds, nanos);
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

    private static void compare(
            Map<String, Request> requests, ExecutorService clients, int threads, int rounds, long nanos)
            throws Exception {
        Map<String, double[]> rates = new LinkedHashMap<>();
        for (int round = -2; round < rounds; round++) { // two to warm up
            for (Map.Entry<String, Request> each : requests.entrySet()) {
                double rate = perSecond(each.getValue(), clients, threads, nanos);
                if (round >= 0) {
                    rates.computeIfAbsent(each.getKey(), name -> new double[rounds])[round] = rate;
                }
            }
        }
        double[] pings = rates.get("PING");
        System.out.printf("%d threads | a second | times PING | lowest to highest%n", threads);
        rates.forEach((name, rate) -> {
            double[] ratios = new double[rounds];
            Arrays.setAll(ratios, i -> rate[i] / pings[i]);
            Arrays.sort(ratios);
            Arrays.sort(rate);
            System.out.printf(
                    "%s | %.0f | %.2f | %.2f to %.2f%n",
                    name, rate[rounds / 2], ratios[rounds / 2], ratios[0], ratios[rounds - 1]);
        });
    }

    private static double perSecond(Request request, ExecutorService clients, int threads, long nanos)
            throws Exception {
        List<Callable<Long>> work = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            work.add(() -> requests(request, nanos));
        }
        long start = System.nanoTime();
        long requests = 0;
        for (Future<Long> each : clients.invokeAll(work)) {
            requests += each.get();
        }
        return requests * 1e9 / (System.nanoTime() - start);
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
