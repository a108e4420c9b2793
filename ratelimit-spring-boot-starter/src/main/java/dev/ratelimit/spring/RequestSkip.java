package dev.ratelimit.spring;

import jakarta.servlet.http.HttpServletRequest;

/**
 * Tells which requests a policy leaves alone. A policy names beans of this type by {@code ratelimit.policies.<name>.skip}.
 * Implementations must be thread-safe, and quick: they run for each request.
 *
 * <p>What it goes by must not be for a client to choose: a header that anybody can send is none. The user is known to it
 * only under policies whose key or plan needs the user, as others are decided in front of Spring Security.
 */
@FunctionalInterface
public interface RequestSkip {

    /** Whether {@code request} is neither charged nor denied. Where it throws, the request is like any other. */
    boolean skips(HttpServletRequest request);
}
