package dev.ratelimit.spring.autoconfigure;

/**
 * Something that is allowed, and most likely not meant.
 *
 * @param code by which the documentation lists it
 * @param sentence what was found
 * @param wayOut what to do about it
 */
record Finding(String code, String sentence, String wayOut) {

    @Override
    public String toString() {
        return code + ' ' + sentence + "; " + wayOut;
    }
}
