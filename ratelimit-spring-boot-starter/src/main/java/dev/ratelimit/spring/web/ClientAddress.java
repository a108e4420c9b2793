package dev.ratelimit.spring.web;

import dev.ratelimit.spring.Keys;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Enumeration;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Tells which address a request comes from. Thread-safe.
 *
 * <p>It is that of the socket's other end, the peer, whatever the request's headers say; unless the peer is a proxy that is
 * trusted. Then it is the last hop in the proxies' header that is not such a proxy itself, or the first of all if each is.
 * Whatever stands in front of that hop was written by whoever it is, and is not looked at. Where there is no header, or a hop
 * on the way is no address, the proxy is the client: all whom it does not tell apart share one bucket.
 *
 * @hidden
 */
public final class ClientAddress {
    /**
     * The request attribute in which a server keeps {@link #of(String, Function)} before it rewrites the peer or the header as
     * it thinks right itself.
     */
    public static final String ATTRIBUTE = ClientAddress.class.getName() + ".client";

    private final List<Cidr> trustedProxies;
    private final ForwardedHeader header;
    private final int ipv6Prefix;
    private final UntoldProxy untold = new UntoldProxy();

    /**
     * Creates it.
     *
     * @param ipv6Prefix how much of an IPv6 address tells clients apart: a customer is given a whole network, and with a
     *     bucket for each of its addresses would have no limit at all
     */
    public ClientAddress(List<Cidr> trustedProxies, ForwardedHeader header, int ipv6Prefix) {
        if (ipv6Prefix < 32 || ipv6Prefix > 64) {
            throw new IllegalArgumentException("ipv6Prefix must be from 32 to 64: " + ipv6Prefix);
        }
        this.trustedProxies = List.copyOf(trustedProxies);
        this.header = header;
        this.ipv6Prefix = ipv6Prefix;
    }

    /** Returns the address that {@code request} comes from, or null if its socket has none, as one of the file system. */
    public @Nullable IpAddress of(HttpServletRequest request) {
        return find(socketOf(request));
    }

    /** Returns the address that a request comes from whose socket's other end is {@code peer}. */
    public @Nullable IpAddress of(@Nullable String peer, Function<String, Enumeration<String>> headers) {
        IpAddress address = peer == null ? null : IpAddress.parseHop(peer, 0, peer.length());
        return address != null && trusts(address)
                ? behind(address, joined(headers.apply(header.fieldName())))
                : address;
    }

    /** Returns the key of the bucket that all requests from there share. */
    String key(HttpServletRequest request) {
        HttpServletRequest socket = socketOf(request);
        if (trustedProxies.isEmpty() && socket.getAttribute(ATTRIBUTE) == null) {
            String peer = socket.getRemoteAddr();
            untold.look(socket);
            if (peer != null && IpAddress.isQuad(peer)) {
                return Keys.of("ip", peer); // as it would be written again, and most requests get no further
            }
        }
        IpAddress client = find(socket);
        return client == null ? Keys.UNATTRIBUTED : Keys.of("ip", text(client));
    }

    /** Returns the key of the bucket that requests from {@code address} share. */
    String key(String address) {
        IpAddress client = IpAddress.parse(address);
        if (client == null) {
            throw new IllegalArgumentException("not an address: " + address);
        }
        return Keys.of("ip", text(client));
    }

    /** Returns what {@code client} counts as: the address, or the network it is in. */
    String text(IpAddress client) {
        return client.network(ipv6Prefix);
    }

    private @Nullable IpAddress find(HttpServletRequest socket) {
        return socket.getAttribute(ATTRIBUTE) instanceof IpAddress kept
                ? kept
                : of(socket.getRemoteAddr(), socket::getHeaders);
    }

    private IpAddress behind(IpAddress peer, String field) {
        IpAddress client = peer;
        for (int start, end = field.length(); end >= 0; end = start - 1) {
            start = header.hopStart(field, end);
            int from = ForwardedHeader.skipSpace(field, start, end);
            int to = ForwardedHeader.trimSpace(field, from, end);
            if (from < to) {
                IpAddress hop = header.address(field, from, to);
                if (hop == null || !trusts(hop)) {
                    return hop == null ? peer : hop;
                }
                client = hop;
            }
        }
        return client;
    }

    /** Whether {@code address} is that of a proxy. */
    boolean trusts(IpAddress address) {
        for (Cidr block : trustedProxies) {
            if (block.contains(address)) {
                return true;
            }
        }
        return false;
    }

    /** Several lines are one list, in their order (RFC 9110, section 5.3). */
    private static String joined(Enumeration<String> lines) {
        StringBuilder field = new StringBuilder();
        while (lines.hasMoreElements()) {
            field.append(field.isEmpty() ? "" : ",").append(lines.nextElement());
        }
        return field.toString();
    }

    /** A wrapper may tell of a client by what a header says (Spring's ForwardedHeaderFilter does, of any header). */
    private static HttpServletRequest socketOf(HttpServletRequest request) {
        HttpServletRequest http = request;
        ServletRequest inner = request;
        while (inner instanceof ServletRequestWrapper wrapper) {
            inner = wrapper.getRequest();
            if (inner instanceof HttpServletRequest unwrapped) {
                http = unwrapped;
            }
        }
        return http;
    }
}
