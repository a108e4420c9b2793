package dev.ratelimit.spring.redis;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisScriptingAsyncCommands;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
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

/** Puts calls into the words of bucket.lua, which says what it is asked and what it answers. Thread-safe. */
final class BucketScript {
    private static final byte[] NOTHING = {};
    private static final int TAKEN = 1;
    private static final int UNREADABLE = 2;

    private final byte[] text;
    private final String digest;

    /** What a bucket is asked to do. */
    enum Operation {
        CONSUME("consume"),
        PEEK("peek"),
        CHARGE("charge"),
        REFUND("refund"),
        UNDO("undo"),
        RESET("reset");

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

    /** Sends calls whose keys are in one slot, in one round trip; {@link #complete} has to hear of what comes back. */
    CompletableFuture<byte[]> send(RedisScriptingAsyncCommands<byte[], byte[]> redis, List<Call> calls) {
        byte[][] keys = keys(calls);
        byte[][] arguments = arguments(calls);
        return redis.<byte[]>evalsha(digest, ScriptOutputType.VALUE, keys, arguments)
                .toCompletableFuture()
                .exceptionallyCompose(failure -> isNoScript(failure)
                        ? redis.<byte[]>eval(text, ScriptOutputType.VALUE, keys, arguments)
                        : CompletableFuture.failedFuture(failure));
    }

    private static boolean isNoScript(Throwable failure) {
        return cause(failure) instanceof RedisNoScriptException;
    }

    /** Whether it is that keys have to be in one slot, as in a cluster that is spoken to as if it were a single server. */
    static boolean isForSlots(@Nullable Throwable failure) {
        return cause(failure) instanceof RedisCommandExecutionException refused
                && String.valueOf(refused.getMessage()).startsWith("CROSSSLOT");
    }

    private static @Nullable Throwable cause(@Nullable Throwable failure) {
        return failure instanceof CompletionException ? failure.getCause() : failure;
    }

    static byte[][] keys(List<Call> calls) {
        List<byte[]> keys = new ArrayList<>(calls.size());
        for (Call call : calls) {
            for (RedisClaim claim : call.claims) {
                keys.add(claim.key().getBytes(StandardCharsets.UTF_8));
            }
        }
        return keys.toArray(byte[][]::new);
    }

    static byte[][] arguments(List<Call> calls) {
        MessagePack requests = new MessagePack();
        List<byte[]> arguments = new ArrayList<>(1 + calls.size());
        arguments.add(NOTHING); // yet
        for (Call call : calls) {
            List<long[]> undone = call.undone == null ? List.of() : charged(call.claims, call.undone);
            int size = 4 + call.claims.size();
            for (long[] debts : undone) {
                size += debts.length;
            }
            requests.add(size).add(call.operation.name).add(call.number).add(call.claims.size());
            for (RedisClaim claim : call.claims) {
                requests.add(Math.min(claim.tokens(), RedisLimit.MAX_DEBT));
                arguments.add(claim.policy().terms());
            }
            for (long[] debts : undone) {
                for (long debt : debts) {
                    requests.add(debt);
                }
            }
        }
        arguments.set(0, requests.bytes());
        return arguments.toArray(byte[][]::new);
    }

    private static List<long[]> charged(List<RedisClaim> claims, Reply taken) {
        List<long[]> debts = new ArrayList<>(claims.size());
        for (int i = 0; i < claims.size(); i++) {
            RedisClaim claim = claims.get(i);
            debts.add(claim.policy().charged(taken.debts.get(i), claim.tokens()));
        }
        return debts;
    }

    /** Completes calls that were sent together, as {@code replies} or {@code failure} say. */
    static void complete(List<Call> calls, byte @Nullable [] replies, @Nullable Throwable failure) {
        ByteBuffer numbers = ByteBuffer.wrap(replies == null ? NOTHING : replies);
        for (Call call : calls) {
            try {
                if (failure != null) {
                    call.reply.completeExceptionally(failure);
                } else {
                    int outcome = numbers.get();
                    if (outcome == UNREADABLE) {
                        call.reply.completeExceptionally(new UnreadableValueException());
                    } else {
                        call.reply.complete(reply(outcome == TAKEN, numbers, call.claims));
                    }
                }
            } catch (BufferUnderflowException e) {
                call.reply.completeExceptionally(new RedisException("a reply that is none of this script", e));
            }
        }
    }

    private static Reply reply(boolean allowed, ByteBuffer numbers, List<RedisClaim> claims) {
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
