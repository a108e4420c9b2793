package dev.ratelimit;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * Bounds what a key takes in memory that is kept, whatever its length is.
 *
 * @hidden
 */
public final class KeyDigest {
    private static final int MAX_BYTES = 128;
    private static final String PREFIX = "sha256:";

    private KeyDigest() {}

    /**
     * {@return {@code key}, or its SHA-256 if it is longer than 128 bytes, or could be taken for one}
     *
     * @param key of any length
     */
    public static String of(String key) {
        boolean isShort = key.length() <= MAX_BYTES / 2 || bytes(key) <= MAX_BYTES;
        return isShort && !key.startsWith(PREFIX) ? key : digest(key);
    }

    /** A string of Latin-1 letters takes a byte a letter, any other two (JEP 254). */
    private static int bytes(String key) {
        if (key.length() > MAX_BYTES) {
            return key.length();
        }
        for (int i = 0; i < key.length(); i++) {
            if (key.charAt(i) > 0xff) {
                return 2 * key.length();
            }
        }
        return key.length();
    }

    private static String digest(String key) {
        try {
            ByteBuffer letters =
                    ByteBuffer.allocate(2 * key.length()); // as they are: no charset takes half a surrogate pair
            letters.asCharBuffer().put(key);
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(letters.array());
            return PREFIX + Base64.getEncoder().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
