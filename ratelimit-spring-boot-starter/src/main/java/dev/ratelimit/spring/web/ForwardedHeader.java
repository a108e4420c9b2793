package dev.ratelimit.spring.web;

import org.jspecify.annotations.Nullable;

/**
 * The header field in which each proxy notes whom it serves, behind what the one before it noted.
 *
 * <p>It is read from the right, where the nearest proxy wrote. What stands to the left may be an attacker's, and must not
 * change how the rest is read: an open quote, say.
 *
 * @hidden
 */
public enum ForwardedHeader {

    /** A list of addresses. */
    X_FORWARDED_FOR("X-Forwarded-For") {
        @Override
        int hopStart(String field, int end) {
            return field.lastIndexOf(',', end - 1) + 1;
        }

        @Override
        @Nullable
        IpAddress address(String field, int from, int to) {
            return IpAddress.parseHop(field, from, to);
        }
    },

    /** A list of parameters (RFC 7239), among which {@code for} is the address, in quotes where it has a colon. */
    FORWARDED("Forwarded") {
        @Override
        int hopStart(String field, int end) {
            return start(',', field, 0, end);
        }

        @Override
        @Nullable
        IpAddress address(String field, int from, int to) {
            IpAddress address = null;
            for (int start, end = to; end >= from; end = start - 1) {
                start = start(';', field, from, end);
                int name = skipSpace(field, start, end);
                if (field.regionMatches(true, name, FOR, 0, FOR.length())) {
                    if (address != null) {
                        return null; // only one of them can be true
                    }
                    address = unquoted(field, name + FOR.length(), trimSpace(field, name, end));
                    if (address == null) {
                        return null;
                    }
                }
            }
            return address;
        }
    };

    private static final String FOR = "for=";

    private final String fieldName;

    ForwardedHeader(String fieldName) {
        this.fieldName = fieldName;
    }

    String fieldName() {
        return fieldName;
    }

    /** Returns where the hop starts that ends in front of {@code end}. */
    abstract int hopStart(String field, int end);

    /** Returns the address of the hop that stands there, without space around it, or null if it has none. */
    abstract @Nullable IpAddress address(String field, int from, int to);

    /** Returns where the text behind the last separator starts, one in quotes being none. */
    private static int start(char separator, String field, int from, int to) {
        boolean quoted = false;
        for (int i = to - 1; i >= from; i--) {
            char c = field.charAt(i);
            if (c == '"' && !isEscaped(field, from, i)) {
                quoted = !quoted;
            } else if (c == separator && !quoted) {
                return i + 1;
            }
        }
        return from;
    }

    private static boolean isEscaped(String field, int from, int at) {
        int backslashes = 0;
        while (at - backslashes > from && field.charAt(at - backslashes - 1) == '\\') {
            backslashes++;
        }
        return backslashes % 2 == 1;
    }

    /** An address needs no escapes, so that one which has them is none. */
    private static @Nullable IpAddress unquoted(String field, int from, int to) {
        boolean quoted = to - from >= 2 && field.charAt(from) == '"' && field.charAt(to - 1) == '"';
        return quoted ? IpAddress.parseHop(field, from + 1, to - 1) : IpAddress.parseHop(field, from, to);
    }

    static int skipSpace(String field, int from, int to) {
        int at = from;
        while (at < to && isSpace(field.charAt(at))) {
            at++;
        }
        return at;
    }

    static int trimSpace(String field, int from, int to) {
        int at = to;
        while (at > from && isSpace(field.charAt(at - 1))) {
            at--;
        }
        return at;
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\t';
    }
}
