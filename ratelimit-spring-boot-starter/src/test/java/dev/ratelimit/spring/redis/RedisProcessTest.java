package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** That what the other tests lean on does hurt, so that they prove something. */
class RedisProcessTest {

    @Test
    void comesBackEmptyAfterAKill() {
        try (RedisProcess redis = RedisProcess.start()) {
            redis.call("SET", "a", "b");
            redis.kill();
            assertThatThrownBy(() -> redis.call("PING")).isInstanceOf(UncheckedIOException.class);

            redis.restart();

            assertThat(redis.call("GET", "a")).isEqualTo("(nil)");
        }
    }

    @Test
    void answersAfterAPauseWhatWasAskedInIt() throws Exception {
        try (RedisProcess redis = RedisProcess.start()) {
            redis.pause();
            CompletableFuture<Object> answer = CompletableFuture.supplyAsync(() -> redis.call("PING"));
            assertThatThrownBy(() -> answer.get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);

            redis.resume();

            assertThat(answer.get(10, TimeUnit.SECONDS)).isEqualTo("PONG");
        }
    }

    @Test
    void failsLoudlyWhenItCannotStart() {
        RedisProcess.start().close(); // skips this test too where they are to be skipped
        assertThatThrownBy(() -> RedisProcess.start("no-such-setting 1"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no-such-setting");
    }

    @Test
    void promotesTheReplicaOfADeadMaster() {
        try (RedisProcess master = RedisProcess.start();
                RedisProcess replica = RedisProcess.start("replicaof 127.0.0.1 " + master.port());
                RedisProcess sentinel = RedisProcess.startSentinel(master, Duration.ofMillis(300))) {
            Awaitility.await().until(() -> replica.info("master_link_status").equals("up"));
            Awaitility.await().until(() -> sentinel.info("master0").contains("slaves=1"));
            assertThatThrownBy(() -> replica.call("SET", "a", "b")).hasMessageStartingWith("READONLY");

            master.kill();

            List<String> promoted = List.of("127.0.0.1", Integer.toString(replica.port()));
            Awaitility.await()
                    .until(() -> promoted.equals(sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")));
            assertThat(replica.call("SET", "a", "b")).isEqualTo("OK");
        }
    }

    @Test
    void movesASlotOfACluster() {
        try (RedisCluster cluster = RedisCluster.start(false)) {
            RedisProcess from = cluster.master(cluster.masterOf("a"));
            RedisProcess to = cluster.master((cluster.masterOf("a") + 1) % 3);
            from.call("SET", "a", "b");

            cluster.move(cluster.slot("a"), from, to);

            assertThat(to.call("GET", "a")).isEqualTo("b");
            assertThatThrownBy(() -> from.call("GET", "a")).hasMessageStartingWith("MOVED");
        }
    }

    @Test
    void spoilsWhatPasses() throws Exception {
        try (RedisProcess redis = RedisProcess.start();
                FaultyProxy proxy = new FaultyProxy(redis.port())) {
            RespConnection first = new RespConnection(proxy.port());
            assertThat(first.call("PING")).isEqualTo("PONG");

            proxy.resetAfter(3);
            assertThatThrownBy(() -> first.call("PING")).isInstanceOf(IOException.class);

            proxy.resetAll();
            assertThatThrownBy(() -> new RespConnection(proxy.port()).call("PING"))
                    .isInstanceOf(IOException.class);

            proxy.heal();
            try (RespConnection second = new RespConnection(proxy.port());
                    RespConnection third = new RespConnection(proxy.port())) {
                proxy.delayAnswers(50);
                long start = System.nanoTime();
                assertThat(second.call("PING")).isEqualTo("PONG");
                assertThat(System.nanoTime() - start).isGreaterThan(49_000_000);

                proxy.fallSilent();
                CompletableFuture<Object> answer = ask(third);
                assertThatThrownBy(() -> answer.get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
                proxy.heal();
                assertThat(answer.get(10, TimeUnit.SECONDS)).isEqualTo("PONG");

                proxy.strand();
                CompletableFuture<Object> never = ask(third);
                assertThat(new RespConnection(proxy.port()).call("PING")).isEqualTo("PONG");
                assertThat(never).isNotDone();
            }
        }
    }

    private static CompletableFuture<Object> ask(RespConnection connection) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return connection.call("PING");
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        });
    }
}
