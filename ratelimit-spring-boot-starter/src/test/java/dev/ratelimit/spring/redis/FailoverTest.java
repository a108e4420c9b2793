package dev.ratelimit.spring.redis;

import static dev.ratelimit.spring.redis.FaultLoad.CAPACITY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.redis.FaultLoad.Phase;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;

/** Where a replica takes over, what its master had not told it yet is forgotten; a key gets no more than one capacity of it. */
class FailoverTest {
    private static final int FAILOVERS = Integer.getInteger("redis.failovers", 1);
    private static final long WINDOW_MILLIS = 5_000;

    /** As what Redis has just admitted to the other threads may not be taken from the bucket here yet. */
    private static final int MOST_OF_LOCAL = 2 * CAPACITY + FaultLoad.THREADS;

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
                String name = "failover " + i;
                Phase phase = quietly(() -> load.runUntilWell(name, () -> {
                    dying.kill();
                    awaitMaster(heir);
                }));
                assertThat(heir.calls("evalsha")).isPositive();
                assertThat(phase.admitted("deny")).isLessThanOrEqualTo(2 * CAPACITY);
                assertThat(phase.admitted("local")).isLessThanOrEqualTo(MOST_OF_LOCAL);
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

    /** Runs a phase, in which not much may be logged. */
    private static Phase quietly(Supplier<Phase> run) {
        try (LogLines lines = new LogLines()) {
            Phase phase = run.get();
            lines.requireFew();
            return phase;
        }
    }

    private static void awaitMaster(RedisProcess heir) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(5))
                .ignoreException(UncheckedIOException.class) // its clients are cut off when it becomes one
                .until(() -> heir.info("role").equals("master"));
    }

    private static void awaitReplica(RedisProcess replica) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> replica.info("master_link_status").equals("up"));
    }

    private static void awaitReplica(RedisProcess replica, RedisProcess sentinel) {
        awaitReplica(replica);
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> sentinel.info("master0").contains("status=ok")
                        && sentinel.info("master0").contains("slaves=1"));
    }

    /** Of a master that died, and then of one that hangs. */
    @Test
    void followsTheReplicaThatClusterPromotes() {
        List<Consumer<RedisProcess>> ends = List.of(RedisProcess::kill, RedisProcess::pause);
        try (RedisCluster cluster = RedisCluster.start(true);
                FaultLoad load = FaultLoad.on(cluster)) {
            load.runUntilWell("start", () -> {});
            load.run("well", 0);

            for (int i = 0; i < ends.size(); i++) {
                RedisProcess ending = cluster.master(i);
                RedisProcess heir = cluster.replicaOf(i);
                Consumer<RedisProcess> end = ends.get(i);
                String name = "failover " + i;
                Phase phase = quietly(() -> load.runUntilWell(name, () -> {
                    end.accept(ending);
                    awaitMaster(heir);
                }));

                for (int each = 0; each < RedisCluster.MASTERS; each++) {
                    assertThat(phase.admitted("deny", each)).isLessThanOrEqualTo((each == i ? 2L : 1L) * CAPACITY);
                    assertThat(phase.admitted("local", each)).isLessThanOrEqualTo(MOST_OF_LOCAL);
                    assertThat(phase.admitted("spent", each)).isLessThanOrEqualTo(each == i ? CAPACITY : 0);
                }
                Proofs.report("CLUSTER " + i, load, phase);
            }
            Awaitility.await()
                    .until(
                            () -> { // though nobody asks those who had the keys
                                load.run("after", 0);
                                return !load.isFailing();
                            });
            assertThat(load.thrown()).isEmpty();
        }
    }

    /** And only its own keys go without Redis, but for the first moment. */
    @Test
    void answersWhileAMasterHangsThatNobodyReplaces() {
        try (RedisCluster cluster = RedisCluster.start(false, Duration.ofMinutes(5));
                FaultLoad load = FaultLoad.on(cluster);
                LogLines lines = new LogLines()) {
            load.runUntilWell("start", () -> {});
            load.run("well", 0, cluster.master(0)::pause);

            long windows = Math.max(1, Proofs.FAULT_MILLIS / WINDOW_MILLIS);
            for (int window = 0; window < windows; window++) {
                Phase held = load.run("held " + window, Math.min(WINDOW_MILLIS, Proofs.FAULT_MILLIS));
                assertThat(held.admitted("steady", 0)).isZero();
                assertThat(held.admitted("deny", 0)).isZero();
                assertThat(held.admitted("both", 0)).isZero();
                assertThat(held.admitted("allow", 0)).isEqualTo(held.tried("allow", 0));
                assertThat(held.admitted("local", 0)).isEqualTo(CAPACITY);
                for (int other = 1; other < RedisCluster.MASTERS; other++) {
                    assertThat(held.admitted("steady", other)).isGreaterThanOrEqualTo(held.tried("steady", other) / 2);
                    assertThat(held.admitted("deny", other)).isLessThanOrEqualTo(CAPACITY);
                    assertThat(held.admitted("local", other)).isBetween((long) CAPACITY, (long) MOST_OF_LOCAL);
                }
                assertThat(held.admitted("spent")).isZero();
            }

            Phase healed = load.runUntilWell("healed", cluster.master(0)::resume);
            assertThat(healed.admitted("spent")).isZero();
            assertThat(load.thrown()).isEmpty();
            Proofs.report("HUNG MASTER", load, healed);
            // That it fails, that it is back, and how many decisions were without it: each once in 30 seconds.
            assertThat(lines.ofLimiter()).hasSizeLessThanOrEqualTo(lines.few());
        }
    }

    /** A router has forgotten the connection to it, which looks open; those to the others are well. */
    @Test
    void leavesAConnectionToOneMasterThatIsStranded() {
        try (RedisCluster cluster = RedisCluster.start(false);
                FaultyProxy proxy = new FaultyProxy(cluster.master(0).port());
                FaultLoad load = FaultLoad.on(cluster, proxy)) {
            load.runUntilWell("start", () -> {});
            load.run("well", Proofs.FAULT_MILLIS);

            Phase healed = quietly(() -> load.runUntilWell("stranded", proxy::strand));

            for (int other = 1; other < RedisCluster.MASTERS; other++) {
                assertThat(healed.admitted("steady", other)).isGreaterThanOrEqualTo(healed.tried("steady", other) / 2);
            }
            assertThat(healed.admitted("spent")).isZero();
            assertThat(load.thrown()).isEmpty();
            Proofs.report("STRANDED IN A CLUSTER", load, healed);
        }
    }

    @Test
    void followsSlotsThatMove() {
        try (RedisCluster cluster = RedisCluster.start(false);
                FaultLoad load = FaultLoad.on(cluster)) {
            load.runUntilWell("start", () -> {});
            assertThat(load.run("well", 0).admitted("spent")).isZero(); // for it was spent at the start

            Phase phase = quietly(() -> load.runUntilWell("move", cluster::moveKeys));

            for (int i = 0; i < RedisCluster.MASTERS; i++) {
                assertThat(cluster.master(i).calls("evalsha")).isPositive();
                assertThat(phase.admitted("deny", i)).isLessThanOrEqualTo(CAPACITY); // nothing is forgotten
            }
            assertThat(phase.admitted("spent")).isZero();
            assertThat(load.thrown()).isEmpty();
            Proofs.report("MOVED SLOTS", load, phase);
        }
    }
}
