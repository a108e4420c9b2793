package dev.ratelimit.spring.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.Claim;
import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.Policy;
import dev.ratelimit.spring.redis.BucketScript.Operation;
import dev.ratelimit.spring.redis.BucketScript.Reply;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Runs the script beside {@link BucketModel}, at any time of day: the script under test takes the time from its last two
 * arguments, and tells when a key expires in place of setting it. Whoever fails prints the seed.
 * With {@code -Dredis.sequences=100000} it runs for some minutes.
 */
class BucketScriptModelTest {
    private static final int SEQUENCES = Integer.getInteger("redis.sequences", 2_000);
    private static final int STEPS = 12;
    private static final int SEQUENCES_A_BATCH = 500;
    private static final long MICROS_PER_SECOND = 1_000_000;
    private static final long[] ODD_MICROS = {0, 9, 99_999, 100_000, 999_999};
    private static final Breaker BREAKER = new Breaker(); // which no script knows of

    /** A request, and what the model says about it. */
    private record Step(
            Call call, long now, boolean allowed, List<List<BucketModel.Level>> before, List<Long> nanosToFull) {

        List<RedisClaim> claims() {
            return call.claims;
        }
    }

    /** Requests that were sent together, and the reply. */
    private record Batch(List<Step> steps, RedisFuture<byte[]> reply) {}

    private static String script() {
        String text = new String(BucketScript.read(), StandardCharsets.UTF_8);
        text = replaced(text, "redis.call('TIME')", "{ ARGV[#ARGV - 1], ARGV[#ARGV] }");
        text = replaced(text, "local VERSION = 2", "local VERSION, expiries = 2, {}");
        text = replaced(text, ", 'PXAT', digits)", ")\n expiries[first + i] = expires_at");
        return replaced(text, "return table.concat(replies)", """
                for i = 1, #KEYS do
                  replies[#replies + 1] = struct.pack('>d', expiries[i] or -1)
                end
                return table.concat(replies)""");
    }

    /** Whoever stood in front of it and left has moved it forward, and so it has been paid for earlier. */
    @Test
    void givesBackNoMoreThanIsLeftOfAPlaceThatMovedForward() throws Exception {
        Policy policy = Policy.of("p", Limit.parse("5/5s"));
        RedisPolicy limits = new RedisPolicy(policy, 1);
        RedisClaim five = new RedisClaim(new Claim(policy, "k", 5), limits, "", "k");
        RedisClaim two = new RedisClaim(new Claim(policy, "k", 2), limits, "", "k");
        try (RedisProcess server = RedisProcess.start();
                RedisClient client = RedisClient.create("redis://127.0.0.1:" + server.port());
                StatefulRedisConnection<byte[], byte[]> connection = client.connect(ByteArrayCodec.INSTANCE)) {
            for (Operation givingBack : List.of(Operation.UNDO, Operation.REFUND)) {
                Timed bucket = new Timed(connection.async());
                bucket.send(0, Operation.CONSUME, five, null);
                Reply front = bucket.send(0, Operation.CONSUME, five, null);
                Reply back = bucket.send(0, Operation.CONSUME, five, null);
                bucket.send(0, givingBack, five, givingBack == Operation.UNDO ? front : null);
                assertThat(bucket.send(6, Operation.CONSUME, two, null).allowed())
                        .isTrue();
                bucket.send(8, Operation.UNDO, five, back);

                // 2 are left of it, of which it is not known that they cannot have flowed in
                assertThat(bucket.send(8, Operation.PEEK, five, null).debts().get(0)[0])
                        .isBetween(2 * 1_000_000L, 4 * 1_000_000L);
                connection.sync().flushall();
            }
        }
    }

    /** The script under test at some seconds after a time of day. */
    private record Timed(RedisAsyncCommands<byte[], byte[]> redis) {

        Reply send(int second, Operation operation, RedisClaim claim, @Nullable Reply taken) throws Exception {
            List<RedisClaim> claims = List.of(claim);
            Call call = taken == null
                    ? new Call(operation, RedisLimit.MAX_DEBT, claims, BREAKER, 0)
                    : Call.undoing(claims, taken, BREAKER, 0);
            List<Call> calls = List.of(call);
            byte[] script = script().getBytes(StandardCharsets.UTF_8);
            byte[][] arguments = timed(calls, 1_700_000_000 + second, 0);
            byte[] replies = redis.<byte[]>eval(script, ScriptOutputType.VALUE, BucketScript.keys(calls), arguments)
                    .get();
            BucketScript.complete(calls, replies, null);
            return call.reply.get();
        }
    }

    private static byte[][] timed(List<Call> calls, long seconds, long micros) {
        byte[][] arguments = BucketScript.arguments(calls);
        byte[][] timed = Arrays.copyOf(arguments, arguments.length + 2);
        timed[arguments.length] = ascii(seconds);
        timed[arguments.length + 1] = ascii(micros);
        return timed;
    }

    private static byte[] ascii(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    private static String replaced(String text, String from, String to) {
        assertThat(text).containsOnlyOnce(from);
        return text.replace(from, to);
    }

    @Test
    @SuppressWarnings("FutureReturnValueIgnored") // of flushall, after which replies are as of empty buckets
    void decidesAsTheModelDoes() throws Exception {
        try (RedisProcess server = RedisProcess.start();
                RedisClient client = RedisClient.create("redis://127.0.0.1:" + server.port());
                StatefulRedisConnection<byte[], byte[]> connection = client.connect(ByteArrayCodec.INSTANCE)) {
            connection.setAutoFlushCommands(false);
            RedisAsyncCommands<byte[], byte[]> redis = connection.async();
            RedisFuture<String> loaded = redis.scriptLoad(script().getBytes(StandardCharsets.UTF_8));
            connection.flushCommands();
            String digest = loaded.get();
            SplittableRandom seeds = new SplittableRandom();
            for (int done = 0; done < SEQUENCES; done += SEQUENCES_A_BATCH) {
                List<Sequence> sequences = new ArrayList<>();
                for (int i = 0; i < SEQUENCES_A_BATCH; i++) {
                    Sequence sequence = new Sequence(seeds.nextLong(), redis, digest);
                    sequence.send();
                    sequences.add(sequence);
                }
                connection.flushCommands();
                for (Sequence sequence : sequences) {
                    sequence.check();
                }
                redis.flushall();
            }
        }
    }

    /** Two buckets, and what is done to them. */
    private static final class Sequence {
        private final long seed;
        private final SplittableRandom random;
        private final RedisAsyncCommands<byte[], byte[]> redis;
        private final String digest;
        private final Map<String, BucketModel> models = new LinkedHashMap<>();
        private final Map<String, RedisPolicy> policies = new HashMap<>();
        private final List<Batch> batches = new ArrayList<>();
        private final List<Step> taken = new ArrayList<>();
        private long now;
        private long retryMicros;
        private long resetMicros;

        Sequence(long seed, RedisAsyncCommands<byte[], byte[]> redis, String digest) {
            this.seed = seed;
            this.redis = redis;
            this.digest = digest;
            random = new SplittableRandom(seed);
            now = random.nextLong(1L << 49, 1L << 51);
            for (String key : List.of("a", "b")) {
                models.put(key, new BucketModel());
                policies.put(key, policy(key));
            }
        }

        private RedisPolicy policy(String name) {
            Limit[] limits = new Limit[random.nextInt(1, 4)];
            Arrays.setAll(limits, i -> limit());
            return new RedisPolicy(Policy.of(name, limits), 1);
        }

        /** Returns a limit that is kept as it is, whose burst may be as large as it can. */
        private Limit limit() {
            long refill = random.nextBoolean() ? random.nextLong(1, 1_001) : 1 + random.nextInt(3);
            long period = 1 + random.nextLong(1L << random.nextInt(1, 44)); // microseconds
            long most = (1L << 51) / period;
            long capacity =
                    random.nextInt(8) == 0 ? most : Math.min(most, 1 + random.nextLong(1L << random.nextInt(1, 30)));
            return new Limit(Math.max(1, capacity), refill, Duration.ofNanos(1_000 * period));
        }

        void send() {
            for (int i = 0; i < STEPS; i++) {
                now = Math.max(0, now + passed());
                List<Step> steps = new ArrayList<>();
                do {
                    if (random.nextInt(8) == 0) {
                        String key = random.nextBoolean() ? "a" : "b";
                        policies.put(key, changed(key));
                    }
                    steps.add(step());
                } while (random.nextInt(3) == 0);
                List<Call> calls = steps.stream().map(Step::call).toList();
                byte[][] arguments = timed(calls, now / MICROS_PER_SECOND, now % MICROS_PER_SECOND);
                batches.add(new Batch(
                        steps, redis.evalsha(digest, ScriptOutputType.VALUE, BucketScript.keys(calls), arguments)));
            }
        }

        private RedisPolicy changed(String key) {
            if (random.nextBoolean()) {
                return policy(key);
            }
            List<Limit> limits = new ArrayList<>(
                    Objects.requireNonNull(policies.get(key)).policy.limits()); // some of which stay
            limits.set(random.nextInt(limits.size()), limit());
            return new RedisPolicy(new Policy(key, limits), 1);
        }

        private long passed() {
            return switch (random.nextInt(12)) {
                case 0 -> 0;
                case 1 -> 1;
                case 2 -> ODD_MICROS[random.nextInt(ODD_MICROS.length)] - now % MICROS_PER_SECOND + MICROS_PER_SECOND;
                case 3 -> 1 + random.nextLong(1L << random.nextInt(1, 50));
                case 4, 5 -> retryMicros + random.nextInt(-1, 2);
                case 6 -> resetMicros + random.nextInt(-1, 2);
                case 7 -> back();
                default -> random.nextLong(1 + resetMicros);
            };
        }

        private long back() {
            return switch (random.nextInt(6)) {
                case 0 -> -500_000;
                case 1 -> -MICROS_PER_SECOND;
                case 2 -> -MICROS_PER_SECOND - 1;
                case 3 -> -10 * MICROS_PER_SECOND;
                case 4 -> -3_600 * MICROS_PER_SECOND;
                default -> -random.nextLong(1, 1L << 42);
            };
        }

        private long tokens(RedisPolicy policy) {
            long capacity = policy.policy.limits().stream()
                    .mapToLong(Limit::capacity)
                    .min()
                    .orElseThrow();
            return switch (random.nextInt(10)) {
                case 0 -> capacity;
                case 1 -> random.nextBoolean() ? capacity + 1 : Long.MAX_VALUE;
                case 2 -> 1 + random.nextLong(1L << random.nextInt(1, 62));
                case 3, 4, 5 -> 1 + random.nextLong(capacity);
                default -> Math.min(capacity, 1 + random.nextInt(8));
            };
        }

        private Step step() {
            int choice = random.nextInt(20);
            if (choice == 0 && !taken.isEmpty()) {
                return undo(taken.remove(random.nextInt(taken.size())));
            }
            Operation operation = choice < 13
                    ? Operation.CONSUME
                    : choice < 15
                            ? Operation.PEEK
                            : choice < 17 ? Operation.CHARGE : choice < 19 ? Operation.REFUND : Operation.RESET;
            long patience = choice < 10 ? 0 : choice == 10 ? RedisLimit.MAX_DEBT : random.nextLong(1 + 2 * retryMicros);
            int keys = random.nextInt(4);
            List<RedisClaim> claims = new ArrayList<>();
            for (String key : keys == 0 ? List.of("b", "a") : keys == 1 ? List.of("b") : List.of("a")) {
                RedisPolicy policy = Objects.requireNonNull(policies.get(key));
                claims.add(new RedisClaim(
                        new Claim(policy.policy, key, tokens(policy)), policy, "", "{" + seed + "}" + key));
            }
            return step(new Call(operation, patience, claims, BREAKER, now), null);
        }

        /** Has to be what is left of it: a debt is paid in order. */
        private Step undo(Step step) {
            List<long[]> debts = step.before.stream()
                    .map(levels -> levels.stream()
                            .mapToLong(level -> level.debt().longValueExact())
                            .toArray())
                    .toList();
            return step(Call.undoing(step.claims(), new Reply(true, step.now, debts), BREAKER, now), step);
        }

        private Step step(Call call, @Nullable Step undone) {
            Operation operation = call.operation;
            List<RedisClaim> claims = call.claims;
            List<List<BucketModel.Level>> before = new ArrayList<>();
            boolean fits = true;
            for (RedisClaim claim : claims) {
                List<BucketModel.Level> levels = model(claim).read(limits(claim), now);
                before.add(levels);
                fits &= BucketModel.fits(levels, claim.tokens(), call.number);
            }
            boolean takes = operation == Operation.CONSUME && fits;
            List<Long> nanosToFull = new ArrayList<>();
            for (int i = 0; i < claims.size(); i++) {
                RedisClaim claim = claims.get(i);
                boolean isWritten = false;
                boolean isLeft = operation == Operation.UNDO && model(claim).isUnderOthers(before.get(i));
                if (operation != Operation.PEEK && !isLeft) {
                    List<BucketModel.Level> after = new ArrayList<>();
                    for (int j = 0; j < before.get(i).size(); j++) {
                        BucketModel.Level level = before.get(i).get(j);
                        after.add(level.owing(
                                switch (operation) {
                                    case CONSUME ->
                                        takes ? level.debt().add(level.ticks(claim.tokens())) : level.debt();
                                    case CHARGE -> level.debt().add(level.ticks(claim.tokens()));
                                    case REFUND -> level.debt().subtract(level.ticks(claim.tokens()));
                                    case RESET -> BigInteger.ZERO;
                                    default -> level.debt().subtract(standing(Objects.requireNonNull(undone), i, j));
                                }));
                    }
                    isWritten = model(claim).write(before.get(i), after, now, operation);
                }
                nanosToFull.add(isWritten ? model(claim).nanosToFull(now) : -1);
            }
            Step step = new Step(call, now, takes, before, nanosToFull);
            if (takes) {
                taken.add(step);
            }
            Decision decision =
                    BucketModel.decision(before.get(0), claims.get(0).tokens(), 0);
            retryMicros = decision.never() ? 0 : Math.min(1L << 50, decision.retryAfterNanos() / 1_000);
            resetMicros = Math.min(1L << 50, decision.resetAfterNanos() / 1_000);
            return step;
        }

        private BigInteger standing(Step step, int claim, int limit) {
            BucketModel model = model(step.claims().get(claim));
            if (model.isForgotten(step.now)) {
                return BigInteger.ZERO;
            }
            BucketModel.Level level = step.before.get(claim).get(limit);
            BigInteger ticks = level.ticks(step.claims().get(claim).tokens());
            BigInteger first = model.isUnknown(now) ? BigInteger.ZERO : level.debt();
            return first.add(ticks)
                    .subtract(level.paid(now - step.now))
                    .min(ticks)
                    .max(BigInteger.ZERO);
        }

        private BucketModel model(RedisClaim claim) {
            return Objects.requireNonNull(models.get(claim.claim().key()));
        }

        private static List<Limit> limits(RedisClaim claim) {
            return claim.policy().policy.limits();
        }

        void check() throws Exception {
            for (Batch batch : batches) {
                byte[] replies = batch.reply.get();
                BucketScript.complete(batch.steps.stream().map(Step::call).toList(), replies, null);
                int keys = batch.steps.stream()
                        .mapToInt(step -> step.claims().size())
                        .sum();
                ByteBuffer expiries = ByteBuffer.wrap(replies).position(replies.length - keys * Double.BYTES);
                for (Step step : batch.steps) {
                    check(step, expiries);
                }
            }
        }

        private void check(Step step, ByteBuffer expiries) throws Exception {
            Operation operation = step.call.operation;
            String where = "seed %d, at %d, %s %d %s"
                    .formatted(
                            seed,
                            step.now,
                            operation,
                            step.call.number,
                            step.claims().stream().map(RedisClaim::claim).toList());
            Reply reply = step.call.reply.get();
            assertThat(reply.allowed()).as(where).isEqualTo(step.allowed);
            assertThat(reply.instant()).as(where).isEqualTo(step.now);
            for (int i = 0; i < step.claims().size(); i++) {
                List<BucketModel.Level> levels = step.before.get(i);
                assertThat(reply.debts().get(i))
                        .as(where)
                        .isEqualTo(levels.stream()
                                .mapToLong(level -> level.debt().longValueExact())
                                .toArray());
                RedisClaim claim = step.claims().get(i);
                if (operation != Operation.UNDO) {
                    long patience = step.call.number;
                    assertThat(claim.policy().decide(reply.debts().get(i), claim.tokens(), patience))
                            .as(where)
                            .isEqualTo(BucketModel.decision(levels, claim.tokens(), patience));
                }
                long expiresAt = (long) expiries.getDouble(); // milliseconds
                long nanos = step.nanosToFull.get(i);
                long millis = nanos < 0 ? -1 : 1_000 + (step.now + nanos / 1_000 + 999) / 1_000;
                long rounding = nanos / 1_000 + step.now > RedisLimit.MAX_DEBT ? 1 : 0; // of a sum above 2^53
                assertThat(expiresAt).as(where).isBetween(millis - rounding, millis);
            }
        }
    }
}
