package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Claim;
import dev.ratelimit.Limit;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.redis.BucketScript.Operation;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.DnsResolver;
import io.lettuce.core.resource.SocketAddressResolver;
import java.lang.reflect.Proxy;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/** What can go wrong before a command is sent. */
class BrokenLinkTest {

    /** A resolver that meets an error the first time. */
    private static final class Fragile extends SocketAddressResolver {
        private final AtomicInteger asked = new AtomicInteger();

        Fragile() {
            super(DnsResolver.unresolved());
        }

        @Override
        public SocketAddress resolve(RedisURI uri) {
            if (asked.getAndIncrement() == 0) {
                throw new NoClassDefFoundError("of the first attempt");
            }
            return super.resolve(uri);
        }
    }

    @Test
    void connectsAfterAnErrorOfTheVirtualMachine() throws Exception {
        ClientResources resources = DefaultClientResources.builder()
                .socketAddressResolver(new Fragile())
                .build();
        try (RedisProcess redis = RedisProcess.start()) {
            LettuceConnectionFactory model = new LettuceConnectionFactory(
                    new RedisStandaloneConfiguration("127.0.0.1", redis.port()),
                    LettuceClientConfiguration.builder()
                            .clientResources(resources)
                            .build());
            try (RedisLink link = new RedisLink(model, "app")) {
                assertThat(link.connect())
                        .failsWithin(1, TimeUnit.MINUTES)
                        .withThrowableThat()
                        .havingCause()
                        .isInstanceOf(NoClassDefFoundError.class);
                link.connect().get(1, TimeUnit.MINUTES);
                assertThat(link.commands().ping().get(1, TimeUnit.MINUTES)).isEqualTo("PONG");
            }
        } finally {
            resources.shutdown(0, 0, TimeUnit.SECONDS).get();
        }
    }

    /** Lettuce drops some of what was under way without a word; whoever counts that would count it for ever. */
    @Test
    void sendsAtOnceAgainAfterItsConnectionBrokeUnderLoad() throws Exception {
        Policy api = Policy.of("api", Limit.parse("1000000/1d"));
        List<RedisClaim> claims = List.of(
                new RedisClaim(new Claim(api, "k", 1), new RedisPolicy(api, 1), "k", new RedisKeys("app", null)));
        ExecutorService threads = Executors.newCachedThreadPool();
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger decided = new AtomicInteger();
        try (RedisProcess redis = RedisProcess.start();
                RedisBuckets buckets = new RedisBuckets(
                        new RedisLink(new LettuceConnectionFactory("127.0.0.1", redis.port()), "app"),
                        new BucketScript(),
                        Duration.ofMillis(500),
                        NanoClock.SYSTEM,
                        10)) {
            for (int i = 0; i < 32; i++) {
                threads.execute(() -> {
                    while (!stop.get()) {
                        if (buckets.await(buckets.send(Operation.CONSUME, 0, claims), claims, 0) != null) {
                            decided.incrementAndGet();
                        }
                        buckets.tell(Operation.REFUND, claims.get(0));
                    }
                });
            }
            for (int kills = 0; kills < 3; kills++) {
                int before = decided.get();
                Awaitility.await().until(() -> decided.get() > before + 1_000);
                redis.kill();
                redis.restart();
            }
            stop.set(true);
            threads.shutdown();
            assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();

            Awaitility.await().until(() -> {
                List<Call> calls = buckets.send(Operation.CONSUME, 0, claims);
                return buckets.await(calls, claims, 0) != null;
            });
            assertThat(buckets.send(Operation.CONSUME, 0, claims)).allMatch(Call::isSent);
        } finally {
            stop.set(true);
            threads.shutdownNow();
        }
    }

    private static final byte[] TAKEN =
            ByteBuffer.allocate(17).put((byte) 1).putDouble(5).putDouble(0).array();

    /** Takes a token of the first key, and cannot be asked for another one. */
    @SuppressWarnings("unchecked")
    private static RedisClusterAsyncCommands<byte[], byte[]> commands(List<String> operations) {
        return (RedisClusterAsyncCommands<byte[], byte[]>) Proxy.newProxyInstance(
                BrokenLinkTest.class.getClassLoader(),
                new Class<?>[] {RedisClusterAsyncCommands.class},
                (proxy, method, arguments) -> {
                    byte[] call = ((byte[][]) arguments[3])[0];
                    operations.add(new String(call, 2, call[1] & 0x1f, StandardCharsets.US_ASCII)); // behind its length
                    if (operations.size() == 2) {
                        throw new RedisException("not connected");
                    }
                    AsyncCommand<byte[], byte[], byte[]> sent =
                            new AsyncCommand<>(new Command<>(CommandType.EVALSHA, null));
                    sent.toCompletableFuture().complete(TAKEN);
                    return sent;
                });
    }

    @Test
    void givesBackWhatOneSlotGaveWhereTheNextCannotBeAsked() {
        List<String> operations = new ArrayList<>();
        RedisLink link = Mockito.mock(RedisLink.class);
        Mockito.when(link.isCluster()).thenReturn(true);
        RedisClusterAsyncCommands<byte[], byte[]> commands = commands(operations);
        Mockito.when(link.commands()).thenReturn(commands);
        Mockito.when(link.server(Mockito.anyString())).thenReturn("");
        Policy api = Policy.of("api", Limit.parse("5/1d"));
        RedisKeys keys = new RedisKeys("app", null);
        List<RedisClaim> claims = new ArrayList<>();
        for (String hash : List.of("one", "two")) {
            claims.add(new RedisClaim(new Claim(api, hash, 1), new RedisPolicy(api, 1), hash, keys));
        }

        try (RedisBuckets buckets =
                new RedisBuckets(link, new BucketScript(), Duration.ofSeconds(10), NanoClock.SYSTEM, 10)) {
            List<Call> calls = buckets.send(Operation.CONSUME, 0, claims);
            assertThat(buckets.await(calls, claims, 0)).isNull();
            buckets.giveBack(calls);
        }
        assertThat(operations).containsExactly("consume", "consume", "undo");
    }
}
