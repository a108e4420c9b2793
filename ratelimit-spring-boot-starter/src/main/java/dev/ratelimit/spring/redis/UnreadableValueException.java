package dev.ratelimit.spring.redis;

/** Is thrown where the value of a key is none of a bucket's; it says nothing of other keys, or of how Redis is. */
final class UnreadableValueException extends RuntimeException {

    UnreadableValueException() {
        super("a key has a value that this version does not know", null, false, false);
    }

    /** Whether {@code failure} is such a one, of ours or of Redis. */
    static boolean is(Throwable failure) {
        String message = failure.getMessage();
        return failure instanceof UnreadableValueException || (message != null && message.contains("WRONGTYPE"));
    }
}
