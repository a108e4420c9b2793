package dev.ratelimit.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.aot.hint.annotation.Reflective;
import org.springframework.core.annotation.AliasFor;

/**
 * Limits the calls of a bean's method, or of all public methods of a type.
 *
 * <p>It takes either the name of a policy from application.yml or a limit in place. Repeated, all of them hold together: a
 * call passes under every one or is charged to none. It may stand on a method, a class or an interface, and on an annotation
 * of the application's own, whose attributes then stand for its by {@link AliasFor}. The most specific place wins, and wins
 * alone: the method that is called, before the nearest one it overrides, before its class, before the nearest type of that.
 *
 * <pre>{@code
 * @RateLimited("export")
 * @RateLimited(limit = "10/1s", key = "#tenant", tokens = "#pages", maxWait = "500ms", fallback = "later")
 * public String export(String tenant, int pages) {
 *     return pages + " pages for " + tenant;
 * }
 *
 * String later(String tenant, int pages) {
 *     return "come back later";
 * }
 * }</pre>
 *
 * <p>A call over the limit throws {@link RateLimitExceededException}, which a web request answers with 429 as the filter
 * would, however deep in it that was, and also as the cause of another exception. How it arrives is as the method answers:
 *
 * <ul>
 *   <li>A method that returns a {@link java.util.concurrent.CompletionStage}, a CompletableFuture or a Future never throws it,
 *       but returns one that has failed with it; it may wait before it returns, as any method.
 *   <li>One that returns Reactor's Mono or Flux is decided on, charged and called at each subscription, a retry too; a denial
 *       is the error of that, and a wait blocks no thread. Whose call it is, is told when the method is called.
 *   <li>One that is {@code @Async} is decided on by the thread that runs it, which is not that of the request. One that is
 *       {@code @Scheduled}, or listens to messages, throws as any: it is for the scheduler or the container to go on.
 *   <li>Kotlin's suspending functions are not supported, and are refused.
 * </ul>
 *
 * <p>The expressions are SpEL, read once at start-up, and see the arguments by name and nothing else. Calls that a bean
 * makes on itself do not pass its proxy and are not limited.
 *
 * @see RateLimitCharges
 */
@Documented
@Repeatable(RateLimited.All.class)
@Reflective(RateLimitedHints.class)
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface RateLimited {

    /**
     * The name of a policy in {@code ratelimit.policies}; the same as {@link #policy}. Its mode and its penalty hold for calls
     * as for requests. Its plans and what it skips need a request to be told by: a call that is not part of one is never
     * skipped, and held to the strictest limits of all plans.
     *
     * @return a name, or nothing where there is a limit in place
     */
    @AliasFor("policy")
    String value() default "";

    /** {@return the name of a policy in {@code ratelimit.policies}; the same as {@link #value}} */
    @AliasFor("value")
    String policy() default "";

    /** {@return a limit in place of a named policy, such as {@code 10/1s}, or several of them, separated by commas} */
    String limit() default "";

    /**
     * Whose bucket: an expression on the arguments, such as {@code #tenant}. It is the text of its value, as {@code toString}
     * has it, that tells buckets apart: an array has none that is the same twice. Without one, or where it gives null, a call in a
     * web request has the policy's own key, and one under a limit in place the default key. A call that is in no request has
     * the policy's global bucket then: one for all such calls, whatever the policy's key is.
     *
     * @return an expression, or nothing
     */
    String key() default "";

    /**
     * How many tokens a call costs: an expression on the arguments, such as {@code #report.pages}. A result below 1 counts
     * as 1. Without one, it is the policy's own cost, or 1.
     *
     * @return an expression, or nothing
     */
    String tokens() default "";

    /**
     * How long a call may wait for its tokens, such as {@code 500ms}; not at all unless told. A call that waits has its place
     * in line at once, before all that come later; one whose wait would be longer is denied at once and charged nothing, as
     * is one under a penalty. One that is interrupted is denied and leaves the thread interrupted. It gives back what it took,
     * but for what may have flowed in again where several limits hold. Of several annotations the shortest wait counts, of
     * those that are in force for the call.
     *
     * @return a duration, or nothing
     */
    String maxWait() default "";

    /**
     * A method of the same type to call in place of a denied one: with the same parameters, or those and a
     * {@link RateLimitExceededException}, and not limited itself. Of several annotations that of the first to deny counts.
     *
     * @return a method's name, or nothing
     */
    String fallback() default "";

    /** Holds repeated annotations; the compiler writes it. */
    @Documented
    @Reflective(RateLimitedHints.class)
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.METHOD, ElementType.TYPE})
    @interface All {
        /** {@return the annotations, in their order} */
        RateLimited[] value();
    }
}
