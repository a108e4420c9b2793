package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.NanoClock;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.redis.BucketScript.Operation;
import dev.ratelimit.spring.redis.BucketScript.Reply;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandType;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

class CallQueueTest {
    private final Policy api = Policy.of("api", Limit.parse("5/1d"));
    private final RedisKeys keys = new RedisKeys("app", null);
    private final RedisLink link = Mockito.mock(RedisLink.class);
    private final CallQueue queue = new CallQueue(link, new BucketScript());
    private final Breaker breaker = new Breaker();
    private final List<Sent> sent = new ArrayList<>();

    /** A round trip that is not answered until a test does so. */
    private record Sent(int keys, AsyncCommand<byte[], byte[], byte[]> command) {

        void answer() {
            ByteBuffer replies = ByteBuffer.allocate(17 * keys);
            for (int i = 0; i < keys; i++) {
                replies.put((byte) 1).putDouble(5).putDouble(i);
            }
            command.toCompletableFuture().complete(replies.array());
        }

        void fail(String message) {
            command.toCompletableFuture().completeExceptionally(new RedisCommandExecutionException(message));
        }
    }

    @SuppressWarnings("unchecked")
    CallQueueTest() {
        RedisClusterAsyncCommands<byte[], byte[]> commands =
                (RedisClusterAsyncCommands<byte[], byte[]>) Proxy.newProxyInstance(
                        getClass().getClassLoader(),
                        new Class<?>[] {RedisClusterAsyncCommands.class},
                        (proxy, method, arguments) -> {
                            Sent one = new Sent(
                                    ((byte[][]) arguments[2]).length,
                                    new AsyncCommand<>(new Command<>(CommandType.EVALSHA, null)));
                            sent.add(one);
                            return one.command;
                        });
        Mockito.when(link.commands()).thenReturn(commands);
        Mockito.when(link.server(Mockito.anyString())).thenReturn("");
    }

    private RedisClaim claim(String key) {
        return new RedisClaim(new Claim(api, key, 1), new RedisPolicy(api, 1), key, keys);
    }

    private List<Call> send(int count) {
        List<Call> calls = IntStream.range(0, count)
                .mapToObj(i -> new Call(Operation.CONSUME, 0, List.of(claim("k" + i)), breaker, 0))
                .toList();
        calls.forEach(queue::send);
        return calls;
    }

    private List<Integer> sizes() {
        return sent.stream().map(Sent::keys).toList();
    }

    @Test
    void sendsTogetherWhatComesWhileOthersAreUnderWay() {
        List<Call> calls = send(6);
        assertThat(sizes()).containsExactly(1, 1, 1);

        sent.get(1).answer();
        assertThat(sizes()).containsExactly(1, 1, 1, 3);
        assertThat(calls.get(0).reply).isNotDone();
        assertThat(calls.get(1).reply).isCompleted();

        sent.get(3).answer();
        assertThat(calls.subList(3, 6).stream()
                        .map(call -> call.reply.join().debts().get(0)[0]))
                .containsExactly(0L, 1L, 2L);
    }

    @Test
    void sendsNoMoreKeysTogetherThanRedisShouldBeHeldUpFor() {
        send(3);
        Call large = new Call(
                Operation.CONSUME,
                0,
                IntStream.range(0, 12).mapToObj(i -> claim("l" + i)).toList(),
                breaker,
                0);
        queue.send(large);
        send(20);

        sent.get(0).answer();
        sent.get(1).answer();
        assertThat(sizes()).containsExactly(1, 1, 1, 16, 16);
        sent.get(3).answer();
        assertThat(large.reply).isCompleted();
    }

    @Test
    void makesNobodyGoWithARequestOfManyKeys() {
        send(4);
        queue.send(new Call(
                Operation.CONSUME,
                0,
                IntStream.range(0, 16).mapToObj(i -> claim("l" + i)).toList(),
                breaker,
                0));

        assertThat(sizes()).containsExactly(1, 1, 1, 16);
        sent.get(0).answer();
        assertThat(sizes()).containsExactly(1, 1, 1, 16, 1);
    }

    @Test
    void sendsAtOnceInACluster() {
        Mockito.when(link.isCluster()).thenReturn(true);
        CallQueue ofCluster = new CallQueue(link, new BucketScript());
        for (int i = 0; i < 4; i++) {
            ofCluster.send(new Call(Operation.CONSUME, 0, List.of(claim("k" + i)), breaker, 0));
        }

        assertThat(sizes()).containsExactly(1, 1, 1, 1);
    }

    @Test
    void sendsEachByItselfToWhatTurnsOutToHaveSlots() {
        List<Call> calls = send(6);
        sent.get(0).answer();
        sent.get(3).fail("CROSSSLOT Keys in request don't hash to the same slot");

        assertThat(sizes()).containsExactly(1, 1, 1, 3, 1, 1, 1);
        sent.subList(4, 7).forEach(Sent::answer);
        assertThat(calls.subList(3, 6)).allMatch(call -> call.reply.isDone() && !call.reply.isCompletedExceptionally());
        send(3);
        assertThat(sizes()).containsExactly(1, 1, 1, 3, 1, 1, 1, 1, 1, 1);
    }

    /** The first requests get no decision there, which says nothing of how Redis is. */
    @Test
    void learnsThatThereAreSlotsFromARequestInSeveral() {
        try (RedisBuckets buckets =
                new RedisBuckets(link, new BucketScript(), Duration.ofSeconds(10), NanoClock.SYSTEM, 10)) {
            List<RedisClaim> claims =
                    IntStream.range(0, 16).mapToObj(i -> claim("k" + i)).toList();
            List<List<Call>> first = Stream.generate(() -> buckets.send(Operation.CONSUME, 0, claims))
                    .limit(6)
                    .toList();
            assertThat(sizes()).containsOnly(16).hasSize(6);
            sent.forEach(each -> each.fail("CROSSSLOT Keys in request don't hash to the same slot"));
            assertThat(first).allMatch(calls -> buckets.await(calls, claims, 0) == null);
            assertThat(buckets.stats.isFailing()).isFalse();
            sent.clear();

            List<Call> next = buckets.send(Operation.CONSUME, 0, claims);
            assertThat(sizes()).containsOnly(1).hasSize(16);
            sent.forEach(Sent::answer);
            assertThat(buckets.await(next, claims, 0)).hasSize(16).allMatch(Decision::allowed);
        }
    }

    @Test
    void failsAllThatWereSentTogetherAndSendsTheNext() {
        List<Call> calls = send(6);
        sent.get(0).answer();
        sent.get(3).fail("OOM command not allowed");
        sent.get(1).fail("OOM command not allowed");

        assertThat(calls.subList(3, 6)).allMatch(call -> call.reply.isCompletedExceptionally());
        send(1);
        assertThat(sizes()).containsExactly(1, 1, 1, 3, 1);
    }

    @Test
    void failsWhatCannotBeSent() {
        Mockito.when(link.commands()).thenThrow(new RedisException("not connected"));

        assertThat(send(3)).allMatch(call -> call.reply.isCompletedExceptionally());
    }

    @Test
    void sendsWhatSomebodyWaitsForThoughNothingIsAnswered() {
        try (RedisBuckets buckets =
                new RedisBuckets(link, new BucketScript(), Duration.ofMillis(100), NanoClock.SYSTEM, 10)) {
            List<List<Call>> waiting = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                waiting.add(buckets.send(Operation.CONSUME, 0, List.of(claim("k" + i))));
            }
            assertThat(sizes()).containsExactly(1, 1, 1);

            assertThat(buckets.await(waiting.get(4), List.of(claim("k4")), 0)).isNull();
            assertThat(sizes()).containsExactly(1, 1, 1, 2);
        }
    }

    @Test
    void leavesNothingUnsentThatAThreadWaitedForWhichHadToGo() {
        try (RedisBuckets buckets =
                new RedisBuckets(link, new BucketScript(), Duration.ofSeconds(10), NanoClock.SYSTEM, 10)) {
            List<Call> calls = List.of();
            for (int i = 0; i < 4; i++) {
                calls = buckets.send(Operation.CONSUME, 0, List.of(claim("k" + i)));
            }
            assertThat(sizes()).containsExactly(1, 1, 1);

            Thread.currentThread().interrupt();
            assertThat(buckets.await(calls, calls.get(0).claims, 0)).isNull();
            assertThat(Thread.interrupted()).isTrue();
            assertThat(sizes()).containsExactly(1, 1, 1, 1);
        }
    }

    @Test
    void takesTheFailureOfWhatWasSentTogetherForOne() {
        try (RedisBuckets buckets =
                new RedisBuckets(link, new BucketScript(), Duration.ofSeconds(10), NanoClock.SYSTEM, 10)) {
            List<List<Call>> all = new ArrayList<>();
            for (int i = 0; i < 11; i++) {
                all.add(buckets.send(Operation.CONSUME, 0, List.of(claim("k" + i))));
            }
            sent.get(0).answer();
            sent.get(3).fail("OOM command not allowed");
            for (List<Call> calls : all.subList(3, 11)) {
                assertThat(buckets.await(calls, calls.get(0).claims, 0)).isNull();
            }

            assertThat(sizes()).containsExactly(1, 1, 1, 8);
            assertThat(buckets.stats.isFailing()).isFalse();
        }
    }

    @Test
    void takesTheFailuresOfTwoRoundTripsForTwo() {
        try (RedisBuckets buckets =
                new RedisBuckets(link, new BucketScript(), Duration.ofSeconds(10), NanoClock.SYSTEM, 10)) {
            List<List<Call>> all = new ArrayList<>();
            for (int i = 0; i < 11; i++) {
                all.add(buckets.send(Operation.CONSUME, 0, List.of(claim("k" + i))));
                if (i == 6) {
                    sent.get(0).answer();
                }
            }
            sent.get(1).answer();
            sent.get(3).fail("OOM command not allowed");
            sent.get(4).fail("OOM command not allowed");
            for (int i = 3; i < 7; i++) { // in turn, of the one and of the other
                for (List<Call> calls : List.of(all.get(i), all.get(i + 4))) {
                    assertThat(buckets.await(calls, calls.get(0).claims, 0)).isNull();
                }
            }

            assertThat(sizes()).containsExactly(1, 1, 1, 4, 4);
            assertThat(buckets.stats.isFailing()).isFalse();
        }
    }

    @Test
    void takesARoundTripThatManyWaitForInVainForOneFailure() {
        try (RedisBuckets buckets =
                new RedisBuckets(link, new BucketScript(), Duration.ofMillis(100), NanoClock.SYSTEM, 10)) {
            List<List<Call>> all = new ArrayList<>();
            for (int i = 0; i < 11; i++) {
                all.add(buckets.send(Operation.CONSUME, 0, List.of(claim("k" + i))));
            }
            sent.get(0).answer();
            for (List<Call> calls : all.subList(3, 11)) {
                assertThat(buckets.await(calls, calls.get(0).claims, 0)).isNull();
            }

            assertThat(sizes()).containsExactly(1, 1, 1, 8);
            assertThat(buckets.stats.failures(RedisStats.Failure.TIMEOUT)).isEqualTo(8);
            assertThat(buckets.stats.isFailing()).isFalse();
        }
    }

    @Test
    void failsWhoGetsAnAnswerThatIsNotOfTheScript() {
        List<Call> calls = send(2);
        sent.get(0).command.toCompletableFuture().complete(new byte[] {1});
        sent.get(1).command.toCompletableFuture().complete(null);

        assertThat(calls).allMatch(call -> call.reply.isCompletedExceptionally());
    }

    private static String outcome(@Nullable Reply reply, @Nullable Throwable failure) {
        return failure instanceof UnreadableValueException
                ? "unreadable"
                : reply == null ? "failed" : reply.allowed() ? "allowed" : "denied";
    }

    @Test
    void decidesEachOfThoseThatAreSentTogetherByItself() throws Exception {
        try (RedisProcess server = RedisProcess.start()) {
            LettuceConnectionFactory connections = new LettuceConnectionFactory("127.0.0.1", server.port());
            connections.afterPropertiesSet();
            try (RedisLink real = new RedisLink(connections, "app")) {
                real.start();
                server.call("RPUSH", claim("bad").key(), "none of ours");
                List<Call> calls = new ArrayList<>();
                for (String key : List.of("good", "bad", "good", "other")) {
                    for (int i = 0; i < 3; i++) {
                        calls.add(new Call(Operation.CONSUME, 0, List.of(claim(key)), breaker, 0));
                    }
                }
                BucketScript script = new BucketScript();
                BucketScript.complete(calls, script.send(real.commands(), calls).get(10, TimeUnit.SECONDS), null);

                assertThat(calls.stream()
                                .map(call -> call.reply
                                        .handle(CallQueueTest::outcome)
                                        .join()))
                        .containsExactly(
                                "allowed",
                                "allowed",
                                "allowed",
                                "unreadable",
                                "unreadable",
                                "unreadable",
                                "allowed",
                                "allowed",
                                "denied",
                                "allowed",
                                "allowed",
                                "allowed");
            } finally {
                connections.destroy();
            }
        }
    }
}
