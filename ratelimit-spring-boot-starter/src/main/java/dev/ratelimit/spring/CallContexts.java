package dev.ratelimit.spring;

/**
 * Tells what a call on this thread is part of. Thread-safe.
 *
 * @hidden
 */
@FunctionalInterface
public interface CallContexts {

    /** Where no call is part of anything. */
    CallContexts NONE = () -> CallContext.NONE;

    /** Returns the context of this thread, or {@link CallContext#NONE}; it may be asked from other threads, too. */
    CallContext current();
}
