package dev.ratelimit.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.core.annotation.AliasFor;

/**
 * Limits the calls of a bean's method, or of all public methods of a type that have no such annotation of their own.
 *
 * <p>It takes either the name of a policy from application.yml or a limit in place. A call over the limit throws
 * {@link RateLimitExceededException}, which a web request answers with 429 as the filter would. Repeated, all of them
 * hold together: a call passes under every one or is charged to none.
 *
 * <pre>{@code
 * @RateLimited("login")
 * @RateLimited(limit = "10/1s", key = "#tenant", tokens = "#report.pages")
 * }</pre>
 *
 * <p>The expressions are SpEL, read once at start-up, and see the arguments by name and nothing else. Calls that a bean
 * makes on itself do not pass its proxy and are not limited.
 */
@Documented
@Repeatable(RateLimited.All.class)
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface RateLimited {

    /**
     * The name of a policy in {@code ratelimit.policies}; the same as {@link #policy}. Its mode and its penalty hold for calls
     * as for requests. Its plans and what it skips need a request to be told by: a call that is not part of one is never
     * skipped, and held to the strictest limits of all plans.
     */
    @AliasFor("policy")
    String value() default "";

    /** The name of a policy in {@code ratelimit.policies}. */
    @AliasFor("value")
    String policy() default "";

    /** A limit in place of a named policy, such as {@code 10/1s}, or several of them, separated by commas. */
    String limit() default "";

    /**
     * Whose bucket: an expression on the arguments, such as {@code #tenant}. Without one, or where it gives null, it is
     * the policy's own key; for a limit in place, the default one.
     */
    String key() default "";

    /**
     * How many tokens a call costs: an expression on the arguments, such as {@code #report.pages}. A result below 1 counts
     * as 1. Without one, it is the policy's own cost, or 1.
     */
    String tokens() default "";

    /**
     * How long a call may wait for its tokens, such as {@code 500ms}; not at all unless told. Of several annotations the
     * shortest counts. A call that has waited may still be denied, if others were quicker.
     */
    String maxWait() default "";

    /**
     * A method of the same type to call in place of a denied one: with the same parameters, or those and a
     * {@link RateLimitExceededException}, and not limited itself. Of several annotations that of the first to deny counts.
     */
    String fallback() default "";

    /** Holds repeated annotations; the compiler writes it. */
    @Documented
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.METHOD, ElementType.TYPE})
    @interface All {
        RateLimited[] value();
    }
}
