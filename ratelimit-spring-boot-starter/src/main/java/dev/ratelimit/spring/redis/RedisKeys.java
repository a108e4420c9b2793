package dev.ratelimit.spring.redis;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Makes the keys in Redis: {@code prefix:1:policy:{hash}}, where the 1 is the version of what is behind them. Thread-safe.
 *
 * <p>The hash is 128 bits of the SHA-256 of the key, or of its HMAC if there is a secret. It is of the key alone, and in braces,
 * so that a cluster has what belongs to one client in one slot, and decides a request under several policies in one call.
 */
final class RedisKeys {
    private static final String HMAC = "HmacSHA256";
    private static final int HASH_BYTES = 16;

    private final String prefix;
    private final @Nullable SecretKeySpec secret;

    RedisKeys(String prefix, @Nullable String secret) {
        this.prefix = prefix + ":1:";
        this.secret = secret == null ? null : new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), HMAC);
    }

    String key(String policy, String hash) {
        return prefix + policy + ":{" + hash + '}';
    }

    String hash(String key) {
        ByteBuffer letters =
                ByteBuffer.allocate(2 * key.length()); // as they are: no charset takes half a surrogate pair
        letters.asCharBuffer().put(key);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(hash(letters.array()), HASH_BYTES));
    }

    private byte[] hash(byte[] key) {
        try {
            if (secret == null) {
                return MessageDigest.getInstance("SHA-256").digest(key);
            }
            Mac mac = Mac.getInstance(HMAC);
            mac.init(secret);
            return mac.doFinal(key);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has SHA-256 and " + HMAC, e);
        }
    }
}
