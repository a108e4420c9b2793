package dev.ratelimit.spring.web;

import jakarta.servlet.http.HttpServletRequest;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

/**
 * Looks out for a proxy that nobody told us of, and says so once: all of its clients share one bucket. Thread-safe.
 *
 * <p>A proxy's header is on every request that comes through it, so the first thousand will do, and what all the others pay
 * is one look at a number. It is counted down without a lock: a request more or less does not matter.
 */
final class UntoldProxy {
    private static final Log LOG = LogFactory.getLog(UntoldProxy.class);

    private int left = 1_000;

    void look(HttpServletRequest socket) {
        int now = left;
        if (now <= 0) {
            return;
        }
        String header = presentIn(socket);
        left = header.isEmpty() ? now - 1 : 0;
        if (!header.isEmpty()) {
            LOG.warn("RATELIMIT-W02 a request came with " + header
                    + ", but no proxy is trusted, so that all clients of a"
                    + " proxy share one bucket; if that was a proxy of yours, name it in"
                    + " ratelimit.client-address.trusted-proxies");
        }
    }

    private static String presentIn(HttpServletRequest socket) {
        for (ForwardedHeader header : ForwardedHeader.values()) {
            if (socket.getHeader(header.fieldName()) != null) {
                return header.fieldName();
            }
        }
        return "";
    }
}
