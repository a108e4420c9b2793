package dev.ratelimit.spring;

/**
 * Builds the keys of buckets. What a key was taken from is part of it, so that a user who is called 127.0.0.1 is not the
 * client at that address.
 */
public final class Keys {
    /** The bucket that all share of whom nothing is known. */
    public static final String UNATTRIBUTED = "unattributed";

    /** The bucket of a policy that has only one. */
    public static final String GLOBAL = "global";

    private Keys() {}

    /** Returns the key of {@code value}, taken from {@code source}, which has no colon in it. */
    public static String of(String source, String value) {
        return source + ':' + value;
    }

    /** Returns the key of {@code value}, taken from what is called {@code name} in {@code source}; neither has a colon. */
    public static String of(String source, String name, String value) {
        return source + ':' + name + ':' + value;
    }
}
