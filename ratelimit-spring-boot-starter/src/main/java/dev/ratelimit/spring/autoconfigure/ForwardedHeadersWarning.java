package dev.ratelimit.spring.autoconfigure;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.core.env.Environment;

/** Says at start-up that whoever set Boot's strategy for forwarded headers expects proxies, of which we know none. */
final class ForwardedHeadersWarning {
    private static final Log LOG = LogFactory.getLog(ForwardedHeadersWarning.class);
    private static final String STRATEGY = "server.forward-headers-strategy";

    private ForwardedHeadersWarning() {}

    static void logFor(RateLimitProperties properties, Environment environment) {
        String warning = of(properties, environment);
        if (warning != null) {
            LOG.warn(warning);
        }
    }

    static @Nullable String of(RateLimitProperties properties, Environment environment) {
        String strategy = environment.getProperty(STRATEGY, "none");
        boolean believes = "framework".equalsIgnoreCase(strategy) || "native".equalsIgnoreCase(strategy);
        return believes && properties.clientAddress().trustedProxies().isEmpty()
                ? "RATELIMIT-W01 " + STRATEGY + " is " + strategy
                        + ", but ratelimit.client-address.trusted-proxies names no"
                        + " proxy: headers that anybody could send are not believed, and all clients behind a proxy share"
                        + " one bucket; name the proxies there"
                : null;
    }
}
