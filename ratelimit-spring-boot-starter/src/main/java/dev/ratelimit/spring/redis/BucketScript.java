package dev.ratelimit.spring.redis;

import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisScriptingAsyncCommands;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
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
    private final byte[] text;
    private final String digest;

    /** What a bucket is asked to do. */
    enum Operation {
        CONSUME("consume"),
        PEEK("peek"),
        CHARGE("charge"),
        REFUND("refund"),
        UNDO("undo");

        private final String name;

        Operation(String name) {
            this.name = name;
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
        return redis.<byte[]>evalsha(digest, ScriptOutputType.VALUE, keys, arguments)
                .toCompletableFuture()
                .exceptionallyCompose(failure -> isNoScript(failure)
                        ? redis.<byte[]>eval(text, ScriptOutputType.VALUE, keys, arguments)
                        : CompletableFuture.failedFuture(failure))
                .thenApply(reply -> reply(reply, claims));
    }

    private static boolean isNoScript(Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        return cause instanceof RedisNoScriptException;
    }

    static byte[][] arguments(Operation operation, long number, List<RedisClaim> claims, @Nullable Reply taken) {
        byte[][] arguments = new byte[1 + claims.size()][];
        MessagePack call = new MessagePack().add(operation.name).add(number);
        for (int i = 0; i < claims.size(); i++) {
            call.add(tokens(claims.get(i)));
            arguments[i + 1] = claims.get(i).policy().terms();
        }
        for (int i = 0; taken != null && i < claims.size(); i++) {
            for (long after : claims.get(i)
                    .policy()
                    .charged(taken.debts.get(i), claims.get(i).tokens())) {
                call.add(after);
            }
        }
        arguments[0] = call.bytes();
        return arguments;
    }

    private static long tokens(RedisClaim claim) {
        return Math.min(claim.tokens(), RedisLimit.MAX_DEBT);
    }

    static Reply reply(byte[] reply, List<RedisClaim> claims) {
        if (reply.length == 0) {
            throw new UnreadableValueException();
        }
        ByteBuffer numbers = ByteBuffer.wrap(reply);
        boolean allowed = numbers.get() > 0;
        long instant = (long) numbers.getDouble();
        List<long[]> debts = new ArrayList<>(claims.size());
        for (RedisClaim claim : claims) {
            long[] each = new long[claim.policy().size()];
            for (int i = 0; i < each.length; i++) {
                each[i] = (long) numbers.getDouble();
            }
            debts.add(each);
        }
        return new Reply(allowed, instant, debts);
    }
}
