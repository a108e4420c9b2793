package dev.ratelimit.spring.actuate;

import java.util.List;

/**
 * What application.yml says of a policy that does not change while requests run, and that no rule knows in words. Immutable.
 *
 * @param key the parts of the key
 * @param tokens a number, or the name of a bean
 * @hidden
 */
public record PolicySettings(
        List<String> key, String tokens, List<String> chargeOn, List<String> skip, String backend, String onFailure) {}
