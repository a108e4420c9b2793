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
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.util.function.SingletonSupplier;
import org.springframework.web.util.WebUtils;

/**
 * Reads {@code ratelimit.policies.<name>.key}. Immutable.
 *
 * <p>No request is without a key. One that has no header, cookie or key of the application's is known as the principal's;
 * where nobody is logged in, by the address; and those without an address share one bucket. In front of Spring Security nobody is logged in yet.
 *
 * @hidden
 */
public final class RequestKeys {
    private static final String HEADER = "header:";
    private static final String COOKIE = "cookie:";

    private final Map<String, KeyResolver> resolvers;
    private final ClientAddress client;
    private final Supplier<KeyHash> hash; // which takes its time, and many need none
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
        this.hash = SingletonSupplier.of(() -> new KeyHash(secret));
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

    /** Returns what {@code null} parts stand for. */
    public List<String> partsByDefault() {
        return List.of(resolvers.size() == 1 ? resolvers.keySet().iterator().next() : "ip");
    }

    /**
     * Returns the key that requests have of whom {@code values} are known, one for each of {@code parts}; also for the part
     * {@code argument}, which is what a {@code key} of {@link dev.ratelimit.spring.RateLimited} evaluates to.
     *
     * @throws IllegalArgumentException if they are not as many, or one can't be a value of its part
     */
    public String keyOf(List<String> parts, List<String> values) {
        if (parts.equals(List.of("global"))) {
            return Keys.GLOBAL;
        }
        if (parts.size() != values.size()) {
            throw new IllegalArgumentException("needs a value for each of " + parts);
        }
        StringBuilder key = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            key.append(keyOf(parts.get(i), values.get(i)));
        }
        return key.toString();
    }

    private String keyOf(String part, String value) {
        if (part.startsWith(HEADER)) {
            return headerKey(hash.get(), part.substring(HEADER.length()), value);
        }
        if (part.startsWith(COOKIE)) {
            return cookieKey(hash.get(), part.substring(COOKIE.length()), value);
        }
        return switch (part) {
            case "ip" -> client.key(value);
            case "principal", "argument" -> Keys.of(part, value);
            default -> {
                if (!resolvers.containsKey(part)) {
                    throw new IllegalArgumentException("no key has a part " + part);
                }
                yield resolverKey(part, value);
            }
        };
    }

    private static String headerKey(KeyHash hash, String name, String value) {
        return Keys.of("header", name, hash.of(value));
    }

    private static String cookieKey(KeyHash hash, String name, String value) {
        return Keys.of("cookie", name, hash.of(value));
    }

    private static String resolverKey(String name, String value) {
        return Keys.of("resolver", name, value);
    }

    /** Returns what stands for {@code key} where it is shown: who reads it learns nothing of the client. */
    public String hashOf(String key) {
        return hash.get().of(key);
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
        KeyHash known = hash.get(); // now, and not in the first request
        return request -> {
            String value = request.getHeader(name);
            return value == null || value.isEmpty() ? principal(request) : headerKey(known, name, value);
        };
    }

    private RequestKey cookie(String name) {
        KeyHash known = hash.get();
        return request -> {
            Cookie cookie = WebUtils.getCookie(request, name);
            String value = cookie == null ? null : cookie.getValue();
            return value == null || value.isEmpty() ? principal(request) : cookieKey(known, name, value);
        };
    }

    private RequestKey resolver(String name) {
        KeyResolver resolver = Objects.requireNonNull(resolvers.get(name));
        return RequestKey.ofUser(request -> {
            String value;
            try {
                value = resolver.resolve(request);
            } catch (RuntimeException e) {
                DescribedRequest.noteFailure(request, "KeyResolver " + name, e);
                value = null; // as if it had none; what it threw may name the client, and is not logged
            }
            return value == null || value.isEmpty() ? principal(request) : resolverKey(name, value);
        });
    }

    /** Whether {@code name} can be a header's or a cookie's (RFC 9110, section 5.6.2). */
    private static boolean isToken(String name) {
        return !name.isEmpty()
                && name.chars().allMatch(c -> c > ' ' && c < 0x7f && "\"(),/:;<=>?@[\\]{}".indexOf(c) < 0);
    }
}
