package dev.ratelimit.spring;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Published when a policy of application.yml says something else than before. Immutable.
 *
 * <pre>{@code
 * @EventListener
 * void on(PolicyChangedEvent event) {
 *     if (event.newMode() == PolicyMode.OFF) {
 *         log.warn(event.policy() + " has been switched off");
 *     }
 * }
 * }</pre>
 *
 * @param policy the policy's name
 * @param oldLimits as text, such as 100/1m; under plans, those of each
 * @param newLimits the same, as they are now
 * @param oldMode what it did
 * @param newMode what it does now
 */
public record PolicyChangedEvent(
        String policy, String oldLimits, String newLimits, PolicyMode oldMode, PolicyMode newMode) {

    /**
     * {@return the event of a change between those policies, which have one name}
     *
     * @param old the policy as it was
     * @param changed the policy as it is now
     * @hidden
     */
    public static PolicyChangedEvent of(ConfiguredPolicy old, ConfiguredPolicy changed) {
        return new PolicyChangedEvent(
                old.policy().name(), old.limitsText(), changed.limitsText(), old.mode(), changed.mode());
    }

    /** {@return what has changed, in words; if neither limits nor mode have, it is the penalty} */
    @Override
    public String toString() {
        List<String> changes = new ArrayList<>();
        if (!oldLimits.equals(newLimits)) {
            changes.add("limits " + oldLimits + " -> " + newLimits);
        }
        if (oldMode != newMode) {
            changes.add("mode " + text(oldMode) + " -> " + text(newMode));
        }
        return "policy " + policy + " has changed: " + (changes.isEmpty() ? "penalty" : String.join(", ", changes));
    }

    private static String text(PolicyMode mode) {
        return mode.name().toLowerCase(Locale.ROOT);
    }
}
