package dev.ratelimit.spring.web;

import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.KeyResolver;
import dev.ratelimit.spring.Keys;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import java.security.Principal;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.web.util.WebUtils;

/**
 * Reads {@code ratelimit.policies.<name>.key}. Immutable.
 *
 * <p>No request is without a key. One that has no header, cookie or key of the application's is known as the principal's;
 * where nobody is logged in, by the address; and those without an address share one bucket. In front of Spring Security nobody is logged in yet.
 */
public final class RequestKeys {
    private static final String HEADER = "header:";
    private static final String COOKIE = "cookie:";

    private final Map<String, KeyResolver> resolvers;
    private final ClientAddress client;
    private final KeyHash hash;
    private final RequestKey byDefault;

    /**
     * Creates the reader.
     *
     * @param resolvers the application's own, by bean name; one that stands alone is the default
     * @param secret under which headers and cookies are hashed, or null for one that no other process knows
     */
    public RequestKeys(Map<String, KeyResolver> resolvers, ClientAddress client, @Nullable String secret) {
        this.resolvers = Map.copyOf(resolvers);
        this.client = client;
        this.hash = new KeyHash(secret);
        this.byDefault =
                resolvers.size() == 1 ? resolver(resolvers.keySet().iterator().next()) : client::key;
    }

    /** Returns the key of policies that name none. */
    RequestKey byDefault() {
        return byDefault;
    }

    /**
     * Returns what {@code parts} stand for together, or the default for null.
     *
     * @throws InvalidRateLimitException if they stand for nothing
     */
    public RequestKey of(@Nullable List<String> parts, String property) {
        if (parts == null) {
            return byDefault;
        }
        if (parts.isEmpty() || (parts.size() > 1 && parts.contains("global"))) {
            throw new InvalidRateLimitException(
                    property, "is " + parts + ", but must be one key, or several of which none is global");
        }
        if (Set.copyOf(parts).size() < parts.size()) {
            throw new InvalidRateLimitException(property, "is " + parts + ", which has the same key twice");
        }
        List<RequestKey> keys = parts.stream().map(part -> part(part, property)).toList();
        return keys.size() == 1 ? keys.get(0) : joined(keys);
    }

    private static RequestKey joined(List<RequestKey> keys) {
        RequestKey joined = request -> {
            StringBuilder text = new StringBuilder();
            for (RequestKey key : keys) {
                text.append(key.of(request));
            }
            return text.toString();
        };
        return keys.stream().anyMatch(RequestKey::needsUser) ? RequestKey.ofUser(joined) : joined;
    }

    private RequestKey part(String key, String property) {
        if (key.startsWith(HEADER) && isToken(key.substring(HEADER.length()))) {
            return header(key.substring(HEADER.length()));
        }
        if (key.startsWith(COOKIE) && isToken(key.substring(COOKIE.length()))) {
            return cookie(key.substring(COOKIE.length()));
        }
        return switch (key) {
            case "ip" -> client::key;
            case "principal" -> RequestKey.ofUser(this::principal);
            case "global" -> RequestKey.GLOBAL;
            default -> {
                if (!resolvers.containsKey(key)) {
                    throw new InvalidRateLimitException(
                            property,
                            "is \"" + key
                                    + "\", but must be ip, principal, global, header:NAME, cookie:NAME or the name of"
                                    + " a KeyResolver bean; there are: "
                                    + (resolvers.isEmpty() ? "none" : String.join(", ", resolvers.keySet())));
                }
                yield resolver(key);
            }
        };
    }

    private String principal(HttpServletRequest request) {
        Principal principal = request.getUserPrincipal();
        String name = principal == null ? null : principal.getName();
        return name == null || name.isEmpty() ? client.key(request) : Keys.of("principal", name);
    }

    /** By the first line, if there are several. */
    private RequestKey header(String name) {
        return request -> {
            String value = request.getHeader(name);
            return value == null || value.isEmpty() ? principal(request) : Keys.of("header", name, hash.of(value));
        };
    }

    private RequestKey cookie(String name) {
        return request -> {
            Cookie cookie = WebUtils.getCookie(request, name);
            String value = cookie == null ? null : cookie.getValue();
            return value == null || value.isEmpty() ? principal(request) : Keys.of("cookie", name, hash.of(value));
        };
    }

    private RequestKey resolver(String name) {
        KeyResolver resolver = Objects.requireNonNull(resolvers.get(name));
        return RequestKey.ofUser(request -> {
            String value;
            try {
                value = resolver.resolve(request);
            } catch (RuntimeException e) {
                value = null; // as if it had none; what it threw may name the client, and is not logged
            }
            return value == null || value.isEmpty() ? principal(request) : Keys.of("resolver", name, value);
        });
    }

    /** Whether {@code name} can be a header's or a cookie's (RFC 9110, section 5.6.2). */
    private static boolean isToken(String name) {
        return !name.isEmpty()
                && name.chars().allMatch(c -> c > ' ' && c < 0x7f && "\"(),/:;<=>?@[\\]{}".indexOf(c) < 0);
    }
}
