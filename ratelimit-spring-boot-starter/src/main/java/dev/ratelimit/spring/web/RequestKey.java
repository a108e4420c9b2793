package dev.ratelimit.spring.web;

import dev.ratelimit.spring.Keys;
import jakarta.servlet.http.HttpServletRequest;

/** Tells whose bucket a request is charged to, and always does. */
@FunctionalInterface
public interface RequestKey {

    /** One bucket for all. */
    RequestKey GLOBAL = request -> Keys.GLOBAL;

    /** Returns the key of {@code request}. */
    String of(HttpServletRequest request);
}
