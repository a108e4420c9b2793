package dev.ratelimit.spring.web;

import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.KeyResolver;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads {@code ratelimit.policies.<name>.key}. Immutable. */
public final class RequestKeys {
    private static final String HEADER = "header:";
    private static final String COOKIE = "cookie:";

    private final Map<String, KeyResolver> resolvers;
    private final RequestKey byDefault;

    /**
     * Creates the reader.
     *
     * @param resolvers the application's own, by bean name; one that stands alone is the default
     */
    public RequestKeys(Map<String, KeyResolver> resolvers) {
        this.resolvers = Map.copyOf(resolvers);
        this.byDefault =
                resolvers.size() == 1 ? resolver(resolvers.keySet().iterator().next()) : RequestKey.ADDRESS;
    }

    /** Returns the key of policies that name none. */
    RequestKey byDefault() {
        return byDefault;
    }

    /**
     * Returns what {@code key} stands for, or the default for null.
     *
     * @throws InvalidRateLimitException if it stands for nothing
     */
    public RequestKey of(@Nullable String key, String property) {
        if (key == null) {
            return byDefault;
        }
        if (key.startsWith(HEADER) && isToken(key.substring(HEADER.length()))) {
            return RequestKey.header(key.substring(HEADER.length()));
        }
        if (key.startsWith(COOKIE) && isToken(key.substring(COOKIE.length()))) {
            return RequestKey.cookie(key.substring(COOKIE.length()));
        }
        return switch (key) {
            case "ip" -> RequestKey.ADDRESS;
            case "principal" -> RequestKey.PRINCIPAL;
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

    private RequestKey resolver(String name) {
        return RequestKey.resolvedBy(name, Objects.requireNonNull(resolvers.get(name)));
    }

    /** Whether {@code name} can be a header's or a cookie's (RFC 9110, section 5.6.2). */
    private static boolean isToken(String name) {
        return !name.isEmpty()
                && name.chars().allMatch(c -> c > ' ' && c < 0x7f && "\"(),/:;<=>?@[\\]{}".indexOf(c) < 0);
    }
}
