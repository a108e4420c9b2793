package dev.ratelimit.spring;

import dev.ratelimit.Decision;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Thrown in place of a call that {@link RateLimited} denied. A web request that ends in it is answered with 429, or with
 * 503 if it {@link #isUnavailable()}.
 *
 * <p>It has no stack trace, as it is thrown often and says where it comes from by its policies; and no key, which may be a
 * secret.
 *
 * <pre>{@code
 * try {
 *     reports.latest("acme");
 * } catch (RateLimitExceededException denied) {
 *     log.info(denied.policies() + " ask to wait " + Duration.ofNanos(denied.decisions().get(0).retryAfterNanos()));
 * }
 * }</pre>
 */
public final class RateLimitExceededException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int MAX_CAUSES = 32;

    @SuppressWarnings("serial") // the lists of List.copyOf are serializable
    private final List<PolicyDecision> violations;

    /**
     * Creates the exception, for code that denies by itself.
     *
     * @param violations the policies that denied, at least one, with their decisions
     */
    public RateLimitExceededException(List<PolicyDecision> violations) {
        super(message(violations), null, false, false);
        this.violations = List.copyOf(violations);
    }

    /**
     * {@return the denial that {@code thrown} is or came of, or null if it did not come of one}
     *
     * @param thrown with whatever causes
     */
    public static @Nullable RateLimitExceededException causeOf(Throwable thrown) {
        Throwable cause = thrown;
        for (int i = 0; i < MAX_CAUSES && cause != null; i++) { // causes may go in a circle
            if (cause instanceof RateLimitExceededException denial) {
                return denial;
            }
            cause = cause.getCause();
        }
        return null;
    }

    private static String message(List<PolicyDecision> violations) {
        boolean unavailable = PolicyDecision.areUnavailable(violations);
        StringBuilder message = new StringBuilder(unavailable ? "rate limit unavailable:" : "rate limit exceeded:");
        for (PolicyDecision violation : violations) {
            Decision decision = violation.decision();
            message.append(' ').append(violation.policy().name()).append(" (");
            message.append(decision.unavailable() && !unavailable ? "unavailable, " : "");
            message.append(
                    decision.never()
                            ? "more tokens than it ever grants)"
                            : "retry after " + Duration.ofNanos(decision.retryAfterNanos()) + ")");
        }
        return message.toString();
    }

    /** {@return whether no limit is known to be exceeded, but those who know could not be asked, and a policy is to deny then} */
    public boolean isUnavailable() {
        return PolicyDecision.areUnavailable(violations);
    }

    /** {@return what each policy that denied has decided, in the order of {@link #policies()}} */
    public List<Decision> decisions() {
        return violations.stream().map(PolicyDecision::decision).toList();
    }

    /** {@return the names of the policies that denied, at least one} */
    public List<String> policies() {
        return violations.stream().map(violation -> violation.policy().name()).toList();
    }

    /** {@return the policies that denied, with their decisions} */
    public List<PolicyDecision> violations() {
        return violations;
    }
}
