package dev.ratelimit.spring.redis;

import static dev.ratelimit.spring.redis.FaultLoad.CAPACITY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.redis.FaultLoad.Phase;
import java.io.UncheckedIOException;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;

/** Where a replica takes over, what its master had not told it yet is forgotten; a key gets no more than one capacity of it. */
class FailoverTest {
    private static final int FAILOVERS = Integer.getInteger("redis.failovers", 1);

    @Test
    void followsTheMasterThatSentinelNames() {
        try (RedisProcess first = RedisProcess.start();
                RedisProcess second = RedisProcess.start("replicaof 127.0.0.1 " + first.port());
                RedisProcess sentinel = RedisProcess.startSentinel(first, Duration.ofMillis(300));
                FaultLoad load = FaultLoad.on(
                        new RedisSentinelConfiguration().master("main").sentinel("127.0.0.1", sentinel.port()))) {
            awaitReplica(second, sentinel);
            load.runUntilWell("start", () -> {});
            long spent = load.run("well", 0).admitted("spent");
            RedisProcess master = first;
            RedisProcess replica = second;
            for (int i = 0; i < FAILOVERS; i++) {
                RedisProcess dying = master;
                RedisProcess heir = replica;
                Phase phase = load.runUntilWell("failover " + i, () -> {
                    dying.kill();
                    awaitMaster(heir);
                });
                assertThat(heir.calls("evalsha")).isPositive();
                assertThat(phase.admitted("deny")).isLessThanOrEqualTo(2 * CAPACITY);
                assertThat(phase.admitted("local")).isLessThanOrEqualTo(2 * CAPACITY);
                spent += phase.admitted("spent");
                Proofs.report("SENTINEL " + i, load, phase);

                dying.restart();
                dying.call("REPLICAOF", "127.0.0.1", Integer.toString(heir.port()));
                awaitReplica(dying, sentinel);
                master = heir;
                replica = dying;
            }
            assertThat(spent).isLessThanOrEqualTo((1L + FAILOVERS) * CAPACITY);
            assertThat(load.thrown()).isEmpty();
        }
    }

    private static void awaitMaster(RedisProcess heir) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(5))
                .ignoreException(UncheckedIOException.class) // its clients are cut off when it becomes one
                .until(() -> heir.info("role").equals("master"));
    }

    private static void awaitReplica(RedisProcess replica, RedisProcess sentinel) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> replica.info("master_link_status").equals("up")
                        && sentinel.info("master0").contains("status=ok")
                        && sentinel.info("master0").contains("slaves=1"));
    }

    @Test
    void followsTheReplicaThatClusterPromotes() {
        try (RedisCluster cluster = RedisCluster.start(true);
                FaultLoad load = FaultLoad.on(new RedisClusterConfiguration(cluster.addresses()))) {
            load.runUntilWell("start", () -> {});
            load.run("well", 0);

            Phase phase = load.runUntilWell("failover", () -> {
                for (int i = 0; i < 2; i++) {
                    cluster.master(i).kill();
                    awaitMaster(cluster.replicaOf(i));
                }
            });

            assertThat(phase.admitted("deny")).isLessThanOrEqualTo(2 * CAPACITY);
            assertThat(phase.admitted("local")).isLessThanOrEqualTo(2 * CAPACITY);
            assertThat(phase.admitted("spent")).isLessThanOrEqualTo(CAPACITY);
            assertThat(load.thrown()).isEmpty();
            Proofs.report("CLUSTER", load, phase);
        }
    }

    @Test
    void followsSlotsThatMove() {
        try (RedisCluster cluster = RedisCluster.start(false);
                FaultLoad load = FaultLoad.on(new RedisClusterConfiguration(cluster.addresses()))) {
            load.runUntilWell("start", () -> {});
            assertThat(load.run("well", 0).admitted("spent")).isZero(); // for it was spent at the start

            Phase phase = load.runUntilWell("move", cluster::moveKeys);

            for (int i = 0; i < 3; i++) {
                assertThat(cluster.master(i).calls("evalsha")).isPositive();
            }
            assertThat(phase.admitted("deny")).isLessThanOrEqualTo(CAPACITY); // nothing is forgotten
            assertThat(phase.admitted("spent")).isZero();
            assertThat(load.thrown()).isEmpty();
            Proofs.report("MOVED SLOTS", load, phase);
        }
    }
}
