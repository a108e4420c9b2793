package dev.ratelimit.spring;

/**
 * Builds the keys of buckets, the only place that does. What a key was taken from is part of it, so that a user who is
 * called 127.0.0.1 is not the client at that address; and each part says how long it is, so that no value can be chosen
 * that looks like two others.
 *
 * <p>A part is its length, a colon and its text. Keys put one behind the other are a key again, that of all their parts.
 */
public final class Keys {
    /** The bucket that all share of whom nothing is known. */
    public static final String UNATTRIBUTED = part("unattributed");

    /** The bucket of a policy that has only one. */
    public static final String GLOBAL = part("global");

    private Keys() {}

    /** Returns the key of {@code value}, taken from {@code source}. */
    public static String of(String source, String value) {
        return source.length() + ":" + source + value.length() + ":" + value;
    }

    /** Returns the key of {@code value}, taken from what is called {@code name} in {@code source}. */
    public static String of(String source, String name, String value) {
        return source.length() + ":" + source + name.length() + ":" + name + value.length() + ":" + value;
    }

    private static String part(String text) {
        return text.length() + ":" + text;
    }
}
