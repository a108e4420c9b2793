package dev.ratelimit.spring.redis;

import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisScriptingAsyncCommands;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Calls bucket.lua, which says what it is asked and what it answers. Thread-safe. */
final class BucketScript {
    private static final byte[] NO_NUMBER = RedisPolicy.ascii(0);

    private final byte[] text;
    private final String digest;

    /** What a bucket is asked to do. */
    enum Operation {
        CONSUME("consume"),
        PEEK("peek"),
        CHARGE("charge"),
        REFUND("refund"),
        UNDO("undo");

        @SuppressWarnings("ImmutableEnumChecker") // as nobody changes it
        private final byte[] name;

        Operation(String name) {
            this.name = name.getBytes(StandardCharsets.US_ASCII);
        }
    }

    /**
     * What the script replied.
     *
     * @param allowed whether all claims were charged
     * @param instant the time in Redis, in microseconds
     * @param debts for each claim the debts before, one for each limit
     */
    record Reply(boolean allowed, long instant, List<long[]> debts) {}

    BucketScript() {
        text = read();
        digest = digest(text);
    }

    static byte[] read() {
        try (InputStream script = BucketScript.class.getResourceAsStream("bucket.lua")) {
            return Objects.requireNonNull(script, "bucket.lua").readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String digest(byte[] text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(text));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-1", e);
        }
    }

    /** Asks about claims whose keys are in one slot. */
    CompletableFuture<Reply> call(
            RedisScriptingAsyncCommands<byte[], byte[]> redis,
            Operation operation,
            long number,
            List<RedisClaim> claims) {
        return call(redis, claims, arguments(operation, number, claims, null));
    }

    /** Gives back what {@code taken} says was taken by {@code claims}. */
    CompletableFuture<Reply> undo(
            RedisScriptingAsyncCommands<byte[], byte[]> redis, List<RedisClaim> claims, Reply taken) {
        return call(redis, claims, arguments(Operation.UNDO, taken.instant, claims, taken));
    }

    private CompletableFuture<Reply> call(
            RedisScriptingAsyncCommands<byte[], byte[]> redis, List<RedisClaim> claims, byte[][] arguments) {
        byte[][] keys = new byte[claims.size()][];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = claims.get(i).key().getBytes(StandardCharsets.UTF_8);
        }
        return redis.<List<Long>>evalsha(digest, ScriptOutputType.MULTI, keys, arguments)
                .toCompletableFuture()
                .exceptionallyCompose(failure -> isNoScript(failure)
                        ? redis.<List<Long>>eval(text, ScriptOutputType.MULTI, keys, arguments)
                        : CompletableFuture.failedFuture(failure))
                .thenApply(numbers -> reply(numbers, claims));
    }

    private static boolean isNoScript(Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        return cause instanceof RedisNoScriptException;
    }

    static byte[][] arguments(Operation operation, long number, List<RedisClaim> claims, @Nullable Reply taken) {
        List<byte[]> arguments = new ArrayList<>();
        arguments.add(operation.name);
        arguments.add(number == 0 ? NO_NUMBER : RedisPolicy.ascii(number));
        for (int i = 0; i < claims.size(); i++) {
            RedisClaim claim = claims.get(i);
            arguments.add(RedisPolicy.ascii(Math.min(claim.tokens(), RedisLimit.MAX_DEBT)));
            List<byte[]> numbers = claim.policy().numbers();
            if (taken == null) {
                arguments.addAll(numbers);
            } else {
                long[] after = claim.policy().charged(taken.debts.get(i), claim.tokens());
                arguments.add(numbers.get(0));
                for (int limit = 0; limit < after.length; limit++) {
                    arguments.addAll(numbers.subList(3 * limit + 1, 3 * limit + 4));
                    arguments.add(RedisPolicy.ascii(after[limit]));
                }
            }
        }
        return arguments.toArray(byte[][]::new);
    }

    static Reply reply(List<Long> numbers, List<RedisClaim> claims) {
        if (numbers.get(0) < 0) {
            throw new UnreadableValueException();
        }
        List<long[]> debts = new ArrayList<>(claims.size());
        int next = 2;
        for (RedisClaim claim : claims) {
            long[] each = new long[claim.policy().size()];
            for (int i = 0; i < each.length; i++) {
                each[i] = numbers.get(next++);
            }
            debts.add(each);
        }
        return new Reply(numbers.get(0) > 0, numbers.get(1), debts);
    }
}
