package dev.ratelimit.spring.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.cluster.models.partitions.Partitions;
import io.lettuce.core.cluster.models.partitions.RedisClusterNode;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.RedisCommand;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisConfiguration;
import org.springframework.data.redis.connection.RedisNode;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;
import org.springframework.data.redis.connection.RedisSocketConfiguration;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnection;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.util.ReflectionUtils;

/**
 * The limiter's own connection: to the same Redis as the application's, but for callers who would rather go without an answer
 * than wait. Thread-safe.
 *
 * <p>While it is down commands are refused, and not queued; those that were under way when it broke are not sent once more, as
 * nobody waits for them any longer and tokens would be taken twice. It is made in a thread of its own, since that may take long.
 */
final class RedisLink implements AutoCloseable {
    private static final Log LOG = LogFactory.getLog(RedisRateLimiter.class);
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);
    private static final Duration START_PATIENCE = Duration.ofSeconds(3); // the first connection has classes to load
    private static final Duration RECONNECT_DELAY = Duration.ofMillis(200);
    private static final Duration TOPOLOGY_PERIOD = Duration.ofSeconds(10);
    private static final long YOUNG_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int MAX_COMMANDS_UNDER_WAY = 8_192;
    private static final int KEYS_TO_FIND_MASTERS_BY = 1_000;

    private final String prefix;
    private final boolean isCluster;
    private final ClientResources resources;
    private final LettuceConnectionFactory factory;
    private final AtomicReference<@Nullable CompletableFuture<Void>> connecting = new AtomicReference<>();
    private volatile @Nullable RedisClusterAsyncCommands<byte[], byte[]> commands;
    private volatile @Nullable StatefulRedisClusterConnection<byte[], byte[]> toCluster; // that of the commands
    private volatile long toClusterSince; // a reading of System.nanoTime()
    private volatile boolean isInDoubt;
    private volatile @Nullable Partitions topology; // of the cluster
    private volatile @Nullable Throwable obstacle; // to the last attempt to connect
    private volatile boolean isEvictionKnown;
    private volatile boolean closed;

    /**
     * Makes one that is not connected yet.
     *
     * @param prefix what every key begins with, be it only one to look for
     */
    RedisLink(LettuceConnectionFactory model, String prefix) {
        requireKnown(model);
        this.prefix = prefix;
        isCluster = model.getClusterConfiguration() != null;
        Optional<ClientResources> lent = model.getClientConfiguration().getClientResources();
        resources = reconnectingSoon(lent.map(RedisLink::sharing).orElseGet(ClientResources::builder));
        factory = new LettuceConnectionFactory(configuration(model), client(model.getClientConfiguration()));
        factory.setEagerInitialization(false);
        factory.afterPropertiesSet();
    }

    /**
     * Refuses a static master and replicas. Their addresses are in no place that the factory shows, and it would be taken for one
     * of the default address.
     */
    static void requireKnown(LettuceConnectionFactory model) {
        if (given(model) instanceof RedisConfiguration.StaticMasterReplicaConfiguration) {
            throw new IllegalArgumentException(
                    "the connection is to a static master and replicas, and not to a standalone"
                            + " Redis, Sentinel or Cluster");
        }
    }

    /** Returns what the factory was made with; null if it is of a version that nobody knows yet. */
    private static @Nullable Object given(LettuceConnectionFactory model) {
        Field field = ReflectionUtils.findField(LettuceConnectionFactory.class, "configuration");
        if (field == null) {
            return null;
        }
        ReflectionUtils.makeAccessible(field);
        return ReflectionUtils.getField(field, model);
    }

    private static RedisConfiguration configuration(LettuceConnectionFactory model) {
        if (model.getClusterConfiguration() != null) {
            return model.getClusterConfiguration();
        }
        if (model.getSentinelConfiguration() != null) {
            return model.getSentinelConfiguration();
        }
        if (model.getSocketConfiguration() != null) {
            return model.getSocketConfiguration();
        }
        if (given(model) instanceof RedisStandaloneConfiguration hidden) { // where it was made by its interface
            return hidden;
        }
        return model.getStandaloneConfiguration();
    }

    private LettuceClientConfiguration client(LettuceClientConfiguration model) {
        LettuceClientConfiguration.LettuceClientConfigurationBuilder client = LettuceClientConfiguration.builder()
                .commandTimeout(CONNECT_TIMEOUT)
                .shutdownQuietPeriod(Duration.ZERO)
                .shutdownTimeout(Duration.ZERO)
                .clientResources(resources)
                .clientOptions(options(model.getClientOptions().orElse(null), isCluster));
        model.getClientName().ifPresent(client::clientName);
        model.getRedisCredentialsProviderFactory().ifPresent(client::redisCredentialsProviderFactory);
        if (model.isUseSsl()) {
            LettuceClientConfiguration.LettuceSslClientConfigurationBuilder ssl = client.useSsl();
            ssl.verifyPeer(model.getVerifyMode());
            if (model.isStartTls()) {
                ssl.startTls();
            }
        }
        return client.build();
    }

    /** Returns a builder of resources that share the threads of {@code lent}, and leave them be when they are shut down. */
    private static ClientResources.Builder sharing(ClientResources lent) {
        return lent.mutate() // which would take them for its own
                .eventLoopGroupProvider(lent.eventLoopGroupProvider())
                .eventExecutorGroup(lent.eventExecutorGroup())
                .timer(lent.timer())
                .commandLatencyRecorder(lent.commandLatencyRecorder());
    }

    /** Unless told, Lettuce takes ever longer to reconnect, up to half a minute. */
    private static ClientResources reconnectingSoon(ClientResources.Builder resources) {
        return resources.reconnectDelay(Delay.constant(RECONNECT_DELAY)).build();
    }

    @SuppressWarnings("deprecation") // Lettuce 7 has all triggers unless told, 6 none
    private static ClientOptions options(@Nullable ClientOptions model, boolean isCluster) {
        ClientOptions.Builder options;
        if (isCluster) {
            ClusterClientOptions.Builder cluster = model instanceof ClusterClientOptions ours
                    ? ours.mutate()
                    : model == null ? ClusterClientOptions.builder() : ClusterClientOptions.builder(model);
            options = cluster.topologyRefreshOptions(ClusterTopologyRefreshOptions.builder()
                    .enablePeriodicRefresh(TOPOLOGY_PERIOD)
                    .enableAdaptiveRefreshTrigger(ClusterTopologyRefreshOptions.RefreshTrigger.values())
                    .adaptiveRefreshTriggersTimeout(RECONNECT_DELAY)
                    .build());
        } else {
            options = model == null ? ClientOptions.builder() : model.mutate();
        }
        ClientOptions base = options.build();
        return options.autoReconnect(true)
                .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
                .replayFilter(RedisLink::end)
                .timeoutOptions(TimeoutOptions.create()) // none: callers have a deadline of their own
                .requestQueueSize(MAX_COMMANDS_UNDER_WAY)
                .socketOptions(base.getSocketOptions()
                        .mutate()
                        .connectTimeout(CONNECT_TIMEOUT)
                        .build())
                .build();
    }

    /** Ends a command that was under way when its connection broke: Lettuce would drop it, and nobody would hear of it again. */
    private static boolean end(RedisCommand<?, ?, ?> command) {
        command.completeExceptionally(new RedisException("the connection broke before there was an answer"));
        return true;
    }

    boolean isCluster() {
        return isCluster;
    }

    /**
     * Returns what to send commands by.
     *
     * @throws RedisException if there is no connection, and never was one or it was given up; the message says why
     */
    RedisClusterAsyncCommands<byte[], byte[]> commands() {
        RedisClusterAsyncCommands<byte[], byte[]> current = commands;
        if (current == null) {
            throw new RedisException(obstacle == null ? "not connected" : "not connected: " + obstacle);
        }
        return current;
    }

    /** Returns what the server is called that has a key; they have one name together where there is one, or it is not known. */
    String server(String key) {
        Partitions known = topology;
        RedisClusterNode master = known == null ? null : known.getPartitionBySlot(SlotHash.getSlot(key));
        return master == null ? "" : master.getNodeId();
    }

    /** Returns where it looks for Redis, in words that have no credentials. */
    static String place(LettuceConnectionFactory model) {
        RedisClusterConfiguration cluster = model.getClusterConfiguration();
        if (cluster != null) {
            return "the cluster of " + texts(cluster.getClusterNodes());
        }
        RedisSentinelConfiguration sentinel = model.getSentinelConfiguration();
        if (sentinel != null) {
            return "the master "
                    + (sentinel.getMaster() == null ? "" : sentinel.getMaster().getName() + ' ') + "of the sentinels "
                    + texts(sentinel.getSentinels());
        }
        RedisSocketConfiguration socket = model.getSocketConfiguration();
        return socket != null ? socket.getSocket() : model.getHostName() + ':' + model.getPort();
    }

    private static String texts(Iterable<RedisNode> nodes) {
        return StreamSupport.stream(nodes.spliterator(), false)
                .map(RedisNode::asString)
                .sorted()
                .collect(Collectors.joining(", "));
    }

    /** Connects, and waits for that, but not for long; later on it goes on in the background. */
    void start() {
        try {
            connect().get(START_PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            String cause = e instanceof TimeoutException
                    ? "no answer in " + START_PATIENCE.toSeconds() + " s"
                    : NestedExceptionUtils.getMostSpecificCause(e).toString();
            LOG.warn(
                    "Redis is not there yet, at " + place(factory) + ", and is looked for in the background: " + cause);
        }
    }

    /** Completes when there is a connection: the one there is, or the one that is being made. */
    CompletableFuture<Void> connect() {
        return commands != null ? CompletableFuture.completedFuture(null) : renew();
    }

    /** Takes note that the connection may be to blame for what is about to be found out. */
    void doubt() {
        isInDoubt = true;
    }

    /** Asks a cluster who has which slots, in the background: another one may have taken the place of a server that fails. */
    @SuppressWarnings("FutureReturnValueIgnored") // Lettuce says what goes wrong
    void refresh() {
        try {
            if (toCluster != null && factory.getNativeClient() instanceof RedisClusterClient cluster) {
                cluster.refreshPartitionsAsync();
            }
        } catch (RuntimeException e) { // as when it is closed meanwhile
            LOG.debug("who has which slots cannot be asked", e);
        }
    }

    /**
     * Gives up the connection and makes another one, unless that is under way already. That to a cluster is given up only when
     * there is another, as some of its servers may well answer; and it is kept if it is in doubt no more, and young. For then it
     * has none to a server that hangs, which gets one as soon as it answers.
     */
    CompletableFuture<Void> renew() {
        if (toCluster != null && !isInDoubt && System.nanoTime() - toClusterSince < YOUNG_NANOS) {
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> mine = new CompletableFuture<>();
        CompletableFuture<Void> other = connecting.compareAndExchange(null, mine);
        if (other != null) {
            return other;
        }
        try {
            Thread thread = new Thread(() -> renew(mine), "ratelimit-redis-connect");
            thread.setDaemon(true);
            thread.start();
        } catch (RuntimeException | Error e) { // as where the system gives no more threads
            failed(mine, e);
        }
        return mine;
    }

    private void renew(CompletableFuture<Void> done) {
        try {
            if (!closed) {
                factory.start(); // once only: an event loop that stops with attempts under way complains of each
                if (factory.getNativeClient() instanceof RedisClusterClient cluster) {
                    connect(cluster);
                } else {
                    commands = null;
                    factory.resetConnection();
                    use(((LettuceConnection) factory.getConnection()).getNativeConnection());
                }
            }
            if (closed) {
                close();
            }
            connecting.set(null);
            done.complete(null);
        } catch (RuntimeException | Error e) { // or nobody would ever try again
            failed(done, e);
        }
    }

    private void use(RedisClusterAsyncCommands<byte[], byte[]> made) {
        commands = made;
        warnOfEviction(made);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for a connection to end
    private void connect(RedisClusterClient cluster) {
        Partitions known = cluster.getPartitions(); // which Lettuce keeps up to date
        StatefulRedisClusterConnection<byte[], byte[]> made = cluster.connectAsync(ByteArrayCodec.INSTANCE)
                .toCompletableFuture()
                .orTimeout(START_PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                .join();
        isInDoubt = false;
        connectMasters(known, made.async());
        StatefulRedisClusterConnection<byte[], byte[]> before = toCluster;
        toCluster = made;
        toClusterSince = System.nanoTime();
        topology = known;
        use(made.async());
        if (before != null && !closed) { // where some may still wait for an answer by it
            resources
                    .eventExecutorGroup()
                    .schedule(before::closeAsync, CONNECT_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** Asks each master something, for which it is connected to: or the first decision there would wait for that. */
    private void connectMasters(Partitions nodes, RedisClusterAsyncCommands<byte[], byte[]> redis) {
        Map<RedisClusterNode, CompletableFuture<byte[]>> answers = new HashMap<>();
        for (int i = 0; i < KEYS_TO_FIND_MASTERS_BY; i++) {
            byte[] key = (prefix + ':' + RedisPolicy.VERSION + ':' + i).getBytes(StandardCharsets.UTF_8);
            RedisClusterNode master = nodes.getPartitionBySlot(SlotHash.getSlot(key));
            if (master != null) {
                answers.computeIfAbsent(master, any -> redis.get(key).toCompletableFuture());
            }
        }
        try {
            CompletableFuture.allOf(answers.values().toArray(CompletableFuture[]::new))
                    .get(CONNECT_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.debug("not all masters have answered yet", e); // decisions will tell
        }
    }

    private void failed(CompletableFuture<Void> attempt, Throwable failure) {
        obstacle = NestedExceptionUtils.getMostSpecificCause(failure);
        connecting.set(null);
        attempt.completeExceptionally(failure);
    }

    /** Warns, once, of a server that may evict buckets, each of which is full then; some of those for hire do unless told. */
    @SuppressWarnings("FutureReturnValueIgnored") // it reports by itself
    private void warnOfEviction(RedisClusterAsyncCommands<byte[], byte[]> redis) {
        if (isEvictionKnown) {
            return;
        }
        redis.info("memory").whenComplete((info, failure) -> {
            if (failure instanceof RedisCommandExecutionException) {
                isEvictionKnown = true;
                LOG.info("Redis does not say what its maxmemory-policy is, which has to be noeviction: "
                        + failure.getMessage());
            } else if (failure == null) {
                isEvictionKnown = true;
                if (!info.contains("maxmemory:0\r") && !info.contains("maxmemory_policy:noeviction")) {
                    LOG.warn("Redis may evict buckets, each of which is full then: " + evictionPolicy(info)
                            + ", which has to be noeviction");
                }
            }
        });
    }

    private static String evictionPolicy(String info) {
        int start = Math.max(0, info.indexOf("maxmemory_policy:"));
        return info.substring(start, Math.max(start, info.indexOf('\r', start)));
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // nobody waits for threads to end
    public void close() {
        closed = true;
        commands = null;
        factory.destroy();
        resources.shutdown(0, 0, TimeUnit.SECONDS);
    }
}
