package dev.ratelimit.spring;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Builds the keys of buckets, the only place that does. What a key was taken from is part of it, so that a user who is
 * called 127.0.0.1 is not the client at that address; and each part says how long it is, so that no value can be chosen
 * that looks like two others.
 *
 * <p>A part is its length, a colon and its text. Keys put one behind the other are a key again, that of all their parts.
 *
 * @hidden
 */
public final class Keys {
    /** The bucket that all share of whom nothing is known. */
    public static final String UNATTRIBUTED = part("unattributed");

    /** The bucket of a policy that has only one. */
    public static final String GLOBAL = part("global");

    /** How many parts a source has with its value, where that is not 2. */
    private static final Map<String, Integer> LENGTHS =
            Map.of("unattributed", 1, "global", 1, "header", 3, "cookie", 3, "resolver", 3);

    private Keys() {}

    /** Returns the key of {@code value}, taken from {@code source}. */
    public static String of(String source, String value) {
        return source.length() + ":" + source + value.length() + ":" + value;
    }

    /** Returns the key of {@code value}, taken from what is called {@code name} in {@code source}. */
    public static String of(String source, String name, String value) {
        return source.length() + ":" + source + name.length() + ":" + name + value.length() + ":" + value;
    }

    /**
     * Returns what the parts of {@code key} were taken from, such as "header X-Api-Key", without what was found there; none
     * if the key is not one that was built here.
     */
    public static List<String> sourcesOf(String key) {
        List<String> parts = partsOf(key);
        List<String> sources = new ArrayList<>();
        for (int i = 0; i < parts.size(); ) {
            String source = parts.get(i);
            int length = LENGTHS.getOrDefault(source, 2);
            sources.add(length == 3 && i + 1 < parts.size() ? source + ' ' + parts.get(i + 1) : source);
            i += length;
        }
        return sources;
    }

    /** Returns the parts of {@code key}; none if it is not one that was built here. */
    public static List<String> partsOf(String key) {
        List<String> parts = new ArrayList<>();
        for (int start = 0; start < key.length(); ) {
            int colon = key.indexOf(':', start);
            try {
                int end = colon + 1 + Integer.parseInt(key, start, Math.max(start, colon), 10);
                parts.add(key.substring(colon + 1, end));
                start = end;
            } catch (NumberFormatException | IndexOutOfBoundsException e) {
                return List.of();
            }
        }
        return parts;
    }

    private static String part(String text) {
        return text.length() + ":" + text;
    }
}
