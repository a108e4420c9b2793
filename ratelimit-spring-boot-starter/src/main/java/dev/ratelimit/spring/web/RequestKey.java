package dev.ratelimit.spring.web;

import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Keys;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import java.security.Principal;
import org.jspecify.annotations.Nullable;
import org.springframework.web.util.WebUtils;

/**
 * Tells whose bucket a request is charged to, and always does: who has no principal, header, cookie or key of the
 * application's is known by the address, and who has no address shares one bucket with all of those.
 */
@FunctionalInterface
public interface RequestKey {

    /** The address of the socket's other end. */
    RequestKey ADDRESS = request -> {
        String address = request.getRemoteAddr();
        return isMissing(address) ? Keys.UNATTRIBUTED : Keys.of("ip", address);
    };

    /** The user who is logged in. */
    RequestKey PRINCIPAL = request -> {
        Principal principal = request.getUserPrincipal();
        String name = principal == null ? null : principal.getName();
        return isMissing(name) ? ADDRESS.of(request) : Keys.of("principal", name);
    };

    /** One bucket for all. */
    RequestKey GLOBAL = request -> Keys.GLOBAL;

    /** Returns the key of {@code request}. */
    String of(HttpServletRequest request);

    /** Returns the value of a header, by its first line. */
    static RequestKey header(String name) {
        return request -> {
            String value = request.getHeader(name);
            return isMissing(value) ? ADDRESS.of(request) : Keys.of("header", name, value);
        };
    }

    /** Returns the value of a cookie. */
    static RequestKey cookie(String name) {
        return request -> {
            Cookie cookie = WebUtils.getCookie(request, name);
            return cookie == null || isMissing(cookie.getValue())
                    ? ADDRESS.of(request)
                    : Keys.of("cookie", name, cookie.getValue());
        };
    }

    /** Returns what the application's own resolver says; one that throws has no key for the request. */
    static RequestKey resolvedBy(String name, KeyResolver resolver) {
        return request -> {
            String value;
            try {
                value = resolver.resolve(request);
            } catch (RuntimeException e) {
                value = null;
            }
            return isMissing(value) ? ADDRESS.of(request) : Keys.of("resolver", name, value);
        };
    }

    private static boolean isMissing(@Nullable String value) {
        return value == null || value.isEmpty();
    }
}
