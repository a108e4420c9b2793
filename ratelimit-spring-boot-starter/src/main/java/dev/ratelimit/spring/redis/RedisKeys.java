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
 * Makes the keys in Redis: {@code prefix:2:policy{hash}}, where the 2 is the version of what is behind them. Thread-safe.
 *
 * <p>No two policies share keys, whatever the prefixes: the part of a policy has no colon, so it begins behind the last one.
 *
 * <p>The hash is 128 bits of the SHA-256 of the key, or of its HMAC if there is a secret. It is of the key alone, and in braces,
 * so that a cluster has what belongs to one client in one slot, and decides a request under several policies in one call.
 */
final class RedisKeys {
    private static final String HMAC = "HmacSHA256";
    private static final int HASH_BYTES = 16;

    private final String prefix;
    private final @Nullable Mac prototype; // copied for each key, for finding an algorithm by its name is slow

    RedisKeys(String prefix, @Nullable String secret) {
        this.prefix = prefix + ':' + RedisPolicy.VERSION + ':';
        prototype = secret == null ? null : mac(secret);
    }

    String key(String policy, String hash) {
        return prefix + escaped(policy) + '{' + hash + '}';
    }

    private static String escaped(String policy) {
        return policy.replace("%", "%25").replace(":", "%3A").replace("{", "%7B");
    }

    String hash(String key) {
        ByteBuffer letters =
                ByteBuffer.allocate(2 * key.length()); // as they are: no charset takes half a surrogate pair
        letters.asCharBuffer().put(key);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(hash(letters.array()), HASH_BYTES));
    }

    private byte[] hash(byte[] key) {
        try {
            return prototype == null
                    ? MessageDigest.getInstance("SHA-256").digest(key)
                    : ((Mac) prototype.clone()).doFinal(key);
        } catch (GeneralSecurityException | CloneNotSupportedException e) {
            throw new IllegalStateException(
                    "every Java platform has SHA-256, and an " + HMAC + " that can be copied", e);
        }
    }

    private static Mac mac(String secret) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), HMAC));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has " + HMAC, e);
        }
    }
}
