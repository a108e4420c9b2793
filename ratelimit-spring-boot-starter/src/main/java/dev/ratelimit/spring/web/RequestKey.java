package dev.ratelimit.spring.web;

import dev.ratelimit.spring.Keys;
import jakarta.servlet.http.HttpServletRequest;

/**
 * Tells whose bucket a request is charged to, and always does.
 *
 * @hidden
 */
@FunctionalInterface
public interface RequestKey {

    /** One bucket for all. */
    RequestKey GLOBAL = request -> Keys.GLOBAL;

    /** Returns the key of {@code request}. */
    String of(HttpServletRequest request);

    /** Whether this key may depend on the user, and so can be told only behind Spring Security. */
    default boolean needsUser() {
        return false;
    }

    /** Returns {@code key} as one that needs the user. */
    static RequestKey ofUser(RequestKey key) {
        return new RequestKey() {
            @Override
            public String of(HttpServletRequest request) {
                return key.of(request);
            }

            @Override
            public boolean needsUser() {
                return true;
            }
        };
    }
}
