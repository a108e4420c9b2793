package dev.ratelimit.spring;

/**
 * Thrown at start-up for a rate limit that means nothing: it says where, the value and the rule. Its sentence is logged as
 * the reason why the start failed. Spring may wrap it, so look for it among the causes.
 *
 * <pre>{@code
 * try {
 *     SpringApplication.run(Application.class);
 * } catch (RuntimeException e) {
 *     for (Throwable cause = e; cause != null; cause = cause.getCause()) {
 *         if (cause instanceof InvalidRateLimitException invalid) {
 *             log.error("mend " + invalid.place());
 *         }
 *     }
 *     throw e;
 * }
 * }</pre>
 */
public final class InvalidRateLimitException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String place;
    private final String remedy;

    /**
     * Creates the exception.
     *
     * @param place a property's name, or an annotation and where it stands
     * @param problem the value and the rule it breaks, to be read after the place
     */
    public InvalidRateLimitException(String place, String problem) {
        this(place, problem, "Correct " + place + '.');
    }

    /**
     * Creates the exception for what is not mended at that place.
     *
     * @param place a property's name, or an annotation and where it stands
     * @param problem the value and the rule it breaks, to be read after the place
     * @param remedy what to do, as a sentence
     */
    public InvalidRateLimitException(String place, String problem, String remedy) {
        super(place + ' ' + problem);
        this.place = place;
        this.remedy = remedy;
    }

    /** {@return the property, or the annotation and where it stands} */
    public String place() {
        return place;
    }

    /** {@return what to do, as a sentence} */
    public String remedy() {
        return remedy;
    }
}
