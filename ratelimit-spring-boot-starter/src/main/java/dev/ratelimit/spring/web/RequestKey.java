package dev.ratelimit.spring.web;

import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Keys;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import java.security.Principal;
import org.springframework.web.util.WebUtils;

/**
 * Tells whose bucket a request is charged to, and always does: who has no principal, header, cookie or key of the
 * application's is known by the address, and who has no address shares one bucket with all of those.
 */
@FunctionalInterface
public interface RequestKey {

    /** The address of the socket's other end. */
    RequestKey ADDRESS = request -> {
        String address = socketOf(request).getRemoteAddr();
        return address == null || address.isEmpty() ? Keys.UNATTRIBUTED : Keys.of("ip", address);
    };

    /** The user who is logged in. */
    RequestKey PRINCIPAL = ofUser(request -> {
        Principal principal = request.getUserPrincipal();
        String name = principal == null ? null : principal.getName();
        return name == null || name.isEmpty() ? ADDRESS.of(request) : Keys.of("principal", name);
    });

    /** One bucket for all. */
    RequestKey GLOBAL = request -> Keys.GLOBAL;

    /** A wrapper may tell of a client by what a header says (Spring's ForwardedHeaderFilter does, of any header). */
    private static ServletRequest socketOf(ServletRequest request) {
        ServletRequest inner = request;
        while (inner instanceof ServletRequestWrapper wrapper) {
            inner = wrapper.getRequest();
        }
        return inner;
    }

    /** Returns the key of {@code request}. */
    String of(HttpServletRequest request);

    /** Whether this key may depend on the user, and so can be told only behind Spring Security. */
    default boolean needsUser() {
        return false;
    }

    /** Returns {@code key} as one that needs the user. */
    private static RequestKey ofUser(RequestKey key) {
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

    /** Returns the value of a header, by its first line. */
    static RequestKey header(String name) {
        return request -> {
            String value = request.getHeader(name);
            return value == null || value.isEmpty() ? ADDRESS.of(request) : Keys.of("header", name, value);
        };
    }

    /** Returns the value of a cookie. */
    static RequestKey cookie(String name) {
        return request -> {
            Cookie cookie = WebUtils.getCookie(request, name);
            return cookie == null || cookie.getValue().isEmpty()
                    ? ADDRESS.of(request)
                    : Keys.of("cookie", name, cookie.getValue());
        };
    }

    /** Returns what the application's own resolver says; one that throws has no key for the request. */
    static RequestKey resolvedBy(String name, KeyResolver resolver) {
        return ofUser(request -> {
            String value;
            try {
                value = resolver.resolve(request);
            } catch (RuntimeException e) {
                value = null;
            }
            return value == null || value.isEmpty() ? ADDRESS.of(request) : Keys.of("resolver", name, value);
        });
    }
}
