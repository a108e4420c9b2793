package dev.ratelimit.spring.web;

import dev.ratelimit.spring.InvalidRateLimitException;
import dev.ratelimit.spring.RequestSkip;
import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads {@code ratelimit.policies.<name>.skip}. Immutable.
 *
 * @hidden
 */
public final class RequestSkips {
    private static final RequestSkip NOTHING = request -> false;

    private final Map<String, RequestSkip> beans;
    private final ClientAddress client;

    /** Creates the reader; {@code beans} are the application's own, by bean name. */
    public RequestSkips(Map<String, RequestSkip> beans, ClientAddress client) {
        this.beans = Map.copyOf(beans);
        this.client = client;
    }

    /**
     * Returns what skips a request if one of {@code entries} does.
     *
     * @throws InvalidRateLimitException if one stands for nothing
     */
    public RequestSkip of(List<String> entries, String property) {
        if (entries.isEmpty()) {
            return NOTHING;
        }
        List<RequestSkip> skips = new ArrayList<>();
        for (String entry : entries) {
            skips.add(skip(entry, property));
        }
        return request -> {
            for (RequestSkip skip : skips) {
                if (skips(skip, request)) {
                    return true;
                }
            }
            return false;
        };
    }

    private static boolean skips(RequestSkip skip, HttpServletRequest request) {
        try {
            return skip.skips(request);
        } catch (RuntimeException e) {
            DescribedRequest.noteFailure(request, "a RequestSkip", e);
            return false;
        }
    }

    private RequestSkip skip(String entry, String property) {
        RequestSkip bean = beans.get(entry);
        if (bean != null) {
            return bean;
        }
        try {
            Cidr block = Cidr.parse(entry);
            return request -> isIn(block, request);
        } catch (IllegalArgumentException e) {
            throw new InvalidRateLimitException(
                    property,
                    "has \"" + entry + "\", but must have client addresses, such as 10.0.0.0/8, or names of RequestSkip"
                            + " beans; there are: " + (beans.isEmpty() ? "none" : String.join(", ", beans.keySet())));
        }
    }

    /**
     * A proxy's address is nobody's: it stands for all those of whom the proxy does not tell, and a client may bring it about
     * that it does not.
     */
    private boolean isIn(Cidr block, HttpServletRequest request) {
        IpAddress address = client.of(request);
        return address != null && block.contains(address) && !client.trusts(address);
    }
}
