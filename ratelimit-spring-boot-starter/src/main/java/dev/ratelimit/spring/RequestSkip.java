package dev.ratelimit.spring;

import jakarta.servlet.http.HttpServletRequest;

/**
 * Tells which requests a policy leaves alone. A policy names beans of this type by {@code ratelimit.policies.<name>.skip}.
 * Implementations must be thread-safe, and quick: they run for each request.
 *
 * <p>Whatever it goes by must not be for a client to choose. A header that anybody can send is none.
 */
@FunctionalInterface
public interface RequestSkip {

    /** Whether {@code request} is neither charged nor denied. Where it throws, the request is like any other. */
    boolean skips(HttpServletRequest request);
}
