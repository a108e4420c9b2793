package dev.ratelimit.spring;

/**
 * Published when a policy of application.yml says something else than before. Immutable.
 *
 * @param oldLimits as text, such as 100/1m; under plans, those of each
 */
public record PolicyChangedEvent(
        String policy, String oldLimits, String newLimits, PolicyMode oldMode, PolicyMode newMode) {

    /** Creates the event of a change between those policies, which have one name. */
    public static PolicyChangedEvent of(ConfiguredPolicy old, ConfiguredPolicy changed) {
        return new PolicyChangedEvent(
                old.policy().name(), old.limitsText(), changed.limitsText(), old.mode(), changed.mode());
    }

    /** Returns what has changed, in words. */
    @Override
    public String toString() {
        return "policy " + policy + " has changed: limits " + oldLimits + " -> " + newLimits + ", mode " + oldMode
                + " -> " + newMode;
    }
}
