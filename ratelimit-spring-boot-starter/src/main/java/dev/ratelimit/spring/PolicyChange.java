package dev.ratelimit.spring;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a policy is to say from now on, in the words of application.yml; null is what stays as it is.
 *
 * @param limits such as 100/1m, 5000/1d
 * @param plans all plans that there are, with the limits of each
 * @hidden
 */
public record PolicyChange(
        @Nullable String limits,
        @Nullable Map<String, String> plans,
        @Nullable String mode) {}
