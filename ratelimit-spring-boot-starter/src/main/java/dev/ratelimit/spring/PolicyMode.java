package dev.ratelimit.spring;

/**
 * What a policy of application.yml does about requests and calls. Code that asks the limiter itself is not bound by it.
 *
 * <pre>{@code
 * @EventListener
 * void on(PolicyChangedEvent event) {
 *     if (event.oldMode() == PolicyMode.SHADOW && event.newMode() == PolicyMode.ENFORCE) {
 *         log.info(event.policy() + " denies from now on");
 *     }
 * }
 * }</pre>
 */
public enum PolicyMode {
    /** It denies what is over its limits. */
    ENFORCE,

    /**
     * It decides and charges its own buckets, apart from the other policies, and counts what it would have denied. No
     * client can tell that it is there.
     */
    SHADOW,

    /** It is not looked at. */
    OFF
}
