package dev.ratelimit.spring.redis;

import io.lettuce.core.cluster.SlotHash;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/** Three masters that share the slots, and if asked a replica of each. */
final class RedisCluster implements AutoCloseable {
    static final int SLOTS = 16_384;
    static final int MASTERS = 3;

    private final List<RedisProcess> nodes = new ArrayList<>();

    private RedisCluster() {}

    /** Starts one that gives up a node after a second. */
    static RedisCluster start(boolean replicas) {
        return start(replicas, Duration.ofSeconds(1));
    }

    /** Starts one that gives up a node after so long. */
    static RedisCluster start(boolean replicas, Duration nodeTimeout) {
        RedisCluster cluster = new RedisCluster();
        try {
            for (int i = 0; i < (replicas ? 2 : 1) * MASTERS; i++) {
                cluster.nodes.add(RedisProcess.start(
                        "cluster-enabled yes",
                        "cluster-node-timeout " + nodeTimeout.toMillis(),
                        "cluster-replica-validity-factor 0"));
            }
            cluster.join();
        } catch (RuntimeException failed) {
            cluster.close();
            throw failed;
        }
        return cluster;
    }

    private void join() {
        for (int i = 0; i < MASTERS; i++) {
            master(i).call(addSlots(i * SLOTS / MASTERS, (i + 1) * SLOTS / MASTERS));
            master(i).call("CLUSTER", "SET-CONFIG-EPOCH", Integer.toString(i + 1));
        }
        for (RedisProcess node : nodes.subList(1, nodes.size())) {
            node.call(
                    "CLUSTER",
                    "MEET",
                    "127.0.0.1",
                    Integer.toString(nodes.get(0).port()));
        }
        await(
                "every node to know every other",
                () -> nodes.stream()
                        .allMatch(node ->
                                node.call("CLUSTER", "NODES").toString().lines().count() == nodes.size()));
        for (int i = MASTERS; i < nodes.size(); i++) {
            nodes.get(i).call("CLUSTER", "REPLICATE", id(master(i - MASTERS)));
        }
        await("the cluster", this::isWell);
    }

    /** The command by which a node takes the slots from {@code from} to {@code to}, exclusively. */
    static String[] addSlots(int from, int to) {
        return IntStream.range(-2, to - from)
                .mapToObj(i -> i == -2 ? "CLUSTER" : i == -1 ? "ADDSLOTS" : Integer.toString(from + i))
                .toArray(String[]::new);
    }

    private boolean isWell() {
        return nodes.stream()
                        .allMatch(
                                node -> node.call("CLUSTER", "INFO").toString().contains("cluster_state:ok"))
                && nodes.subList(MASTERS, nodes.size()).stream()
                        .allMatch(node -> node.info("master_link_status").equals("up"));
    }

    static String id(RedisProcess node) {
        return (String) node.call("CLUSTER", "MYID");
    }

    RedisProcess master(int index) {
        return nodes.get(index);
    }

    RedisProcess replicaOf(int master) {
        return nodes.get(MASTERS + master);
    }

    /** Returns a client's key that begins with {@code name}, and whose buckets that master had at the start. */
    static String keyOn(int master, String name) {
        RedisKeys keys = new RedisKeys("ratelimit", null);
        return IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> name + ' ' + i)
                .filter(key -> masterOf(SlotHash.getSlot(keys.key("any", keys.hash(key)))) == master)
                .findFirst()
                .orElseThrow();
    }

    /** The master that had the slot of a key at the start. */
    int masterOf(String key) {
        return masterOf(slot(key));
    }

    int slot(String key) {
        return SlotHash.getSlot(key);
    }

    private static int masterOf(int slot) {
        return IntStream.range(0, MASTERS)
                .filter(i -> slot < (i + 1) * SLOTS / MASTERS)
                .findFirst()
                .orElseThrow();
    }

    /** Moves every slot that has a key to the next master. */
    void moveKeys() {
        for (int i = 0; i < MASTERS; i++) {
            RedisProcess from = master(i);
            Set<Integer> slots = new HashSet<>();
            for (Object key : (List<?>) from.call("KEYS", "*")) {
                slots.add(slot(key.toString()));
            }
            RedisProcess to = master((i + 1) % MASTERS);
            slots.forEach(slot -> move(slot, from, to));
        }
    }

    /** Moves a slot with its keys, as a rebalancing does: ask, migrate key by key, then tell everybody. */
    void move(int slot, RedisProcess from, RedisProcess to) {
        moveKeys(slot, from, to);
        for (RedisProcess node : List.of(to, from)) {
            node.call("CLUSTER", "SETSLOT", Integer.toString(slot), "NODE", id(to));
        }
    }

    /** Moves the keys of a slot, which stays where it is: whoever comes for them is told to ask the other master. */
    void moveKeys(int slot, RedisProcess from, RedisProcess to) {
        String number = Integer.toString(slot);
        to.call("CLUSTER", "SETSLOT", number, "IMPORTING", id(from));
        from.call("CLUSTER", "SETSLOT", number, "MIGRATING", id(to));
        for (Object key : (List<?>) from.call("CLUSTER", "GETKEYSINSLOT", number, "1000")) {
            from.call("MIGRATE", "127.0.0.1", Integer.toString(to.port()), key.toString(), "0", "5000");
        }
    }

    private static void await(String what, Callable<Boolean> condition) {
        Awaitility.await(what)
                .atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(20))
                .until(condition);
    }

    /** The nodes as {@code spring.data.redis.cluster.nodes} takes them. */
    List<String> addresses() {
        return nodes.stream().map(node -> "127.0.0.1:" + node.port()).toList();
    }

    @Override
    public void close() {
        nodes.forEach(RedisProcess::close);
    }
}
