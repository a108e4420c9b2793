package dev.ratelimit.spring;

/**
 * What a request or a call was charged with, to be settled by code that knows the true cost only afterwards: bytes, rows,
 * the tokens of a language model. Thread-safe, and of use from any thread and after the request or the call is over.
 *
 * <p>A {@link RateLimited} method gets it as a parameter: its callers pass {@link #NONE}, and the proxy puts what the call
 * was charged with in its place. A handler of Spring MVC need not be annotated: then it is what the filter charged.
 *
 * <pre>{@code
 * @RateLimited(policy = "llm", key = "#tenant", tokens = "#prompt.length()")
 * public Answer ask(String tenant, String prompt, RateLimitCharges charges) {
 *     long used = 0; // nothing, should it fail
 *     try {
 *         Answer answer = model.ask(prompt);
 *         used = answer.tokens();
 *         return answer;
 *     } finally {
 *         charges.settle(used);
 *     }
 * }
 * }</pre>
 *
 * <p>What was charged and not used is given back. What was used beyond that is charged whether the bucket holds it or not, so
 * that it may be left with a debt, and whose it is waits the longer. A later settlement replaces an earlier one; what is
 * never settled stays charged as it was, also where the method fails.
 *
 * <p>What is given back is there at once, up to the capacity, also if it has flowed in again since it was charged. So limits
 * hold for what was charged less what was given back, over any span; but right after a settlement that gives much back, more
 * can be charged than if the true cost had been known from the beginning.
 */
public interface RateLimitCharges {

    /** Nothing: what callers pass, and tests that do without a proxy. */
    RateLimitCharges NONE = new RateLimitCharges() {
        @Override
        public void settle(long actualTokens) {
            // nothing was charged
        }

        @Override
        public void settle(String policy, long actualTokens) {
            // nothing was charged
        }

        @Override
        public String toString() {
            return "RateLimitCharges.NONE";
        }
    };

    /**
     * Sees to it that each policy has been charged {@code actualTokens} for this, in place of what it was.
     *
     * @param actualTokens what it has cost, 0 or more
     * @throws IllegalArgumentException if that is below 0
     */
    void settle(long actualTokens);

    /**
     * Sees to it that {@code policy} has been charged {@code actualTokens} for this, in place of what it was; does nothing
     * if it was not charged.
     *
     * @param policy the policy's name
     * @param actualTokens what it has cost, 0 or more
     * @throws IllegalArgumentException if that is below 0, or no policy has that name
     */
    void settle(String policy, long actualTokens);
}
