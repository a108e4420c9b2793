package dev.ratelimit.spring.redis;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes numbers and words in MessagePack, in the fewest bytes. Not thread-safe. */
final class MessagePack {
    private static final int WORD = 0xa0;
    private static final int UINT8 = 0xcc;
    private static final int MAX_BYTES_OF_NUMBER = 9;

    private byte[] bytes = new byte[32];
    private int size;

    /** Adds a word of less than 32 letters, all of ASCII. */
    MessagePack add(String word) {
        byte[] letters = word.getBytes(StandardCharsets.US_ASCII);
        reserve(1 + letters.length);
        bytes[size++] = (byte) (WORD | letters.length);
        System.arraycopy(letters, 0, bytes, size, letters.length);
        size += letters.length;
        return this;
    }

    /** Adds a number that is not negative. */
    MessagePack add(long number) {
        reserve(MAX_BYTES_OF_NUMBER);
        if (number < 0x80) {
            bytes[size++] = (byte) number;
            return this;
        }
        int power = number < 1L << 8 ? 0 : number < 1L << 16 ? 1 : number < 1L << 32 ? 2 : 3; // of two, as many bytes
        bytes[size++] = (byte) (UINT8 + power);
        for (int shift = (8 << power) - 8; shift >= 0; shift -= 8) {
            bytes[size++] = (byte) (number >>> shift);
        }
        return this;
    }

    private void reserve(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, 2 * bytes.length);
        }
    }

    byte[] bytes() {
        return Arrays.copyOf(bytes, size);
    }
}
