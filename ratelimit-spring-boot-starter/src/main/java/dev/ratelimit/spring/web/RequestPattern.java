package dev.ratelimit.spring.web;

import org.jspecify.annotations.Nullable;
import org.springframework.web.util.pattern.PathPattern;

/**
 * A path pattern, which matches just what the parsed pattern matches, and mostly without parsing the path. Immutable.
 *
 * <p>Most patterns are a literal, or a literal and {@code /**} behind it. Up to the first percent sign or semicolon a path is
 * what it looks like; so where path and literal differ in any other character, or agree as far as they need to, the answer is
 * known from the path as it was sent. It takes no memory, and no more time for a longer path.
 *
 * @param literal what a path has to start with, or null if only a parsed path can tell
 * @param open whether anything may follow, from a slash on
 */
record RequestPattern(PathPattern pattern, @Nullable String literal, boolean open) {
    private static final String REST = "/**";

    static RequestPattern of(PathPattern pattern, boolean caseSensitive) {
        String text = pattern.getPatternString();
        boolean open = text.endsWith(REST);
        String literal = open ? text.substring(0, text.length() - REST.length()) : text;
        return new RequestPattern(pattern, caseSensitive && isPlain(literal) ? literal : null, open);
    }

    private static boolean isPlain(String text) {
        return text.chars().allMatch(c -> (Character.isLetterOrDigit(c) && c < 0x80) || "/-_.~".indexOf(c) >= 0);
    }

    boolean matches(RequestLine request) {
        String path = request.rawPath();
        if (literal == null || path == null) {
            return pattern.matches(request.parsedPath());
        }
        int start = request.rawPathStart();
        int length = literal.length();
        int agreed = 0;
        while (agreed < length
                && start + agreed < path.length()
                && path.charAt(start + agreed) == literal.charAt(agreed)) {
            agreed++;
        }
        if (start + agreed == path.length()) {
            return agreed == length && (length > 0 || pattern.matches(request.parsedPath()));
        }
        char next = path.charAt(start + agreed);
        if (next == '%' || next == ';' || (next == '/' && agreed == length && !open)) {
            return pattern.matches(request.parsedPath());
        }
        return agreed == length && open && next == '/';
    }
}
