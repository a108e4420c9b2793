package dev.ratelimit.spring.web;

import dev.ratelimit.spring.PolicyDecision;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the filter charged a request with, to be settled by code that knows the true cost only afterwards: bytes, rows, the
 * tokens of a language model. Thread-safe, and of use from any thread and after the response.
 *
 * <pre>{@code
 * RateLimitCharges charges = RateLimitCharges.of(request);
 * model.stream(prompt).doOnComplete(usage -> charges.settle("llm", usage.tokens()));
 * }</pre>
 *
 * <p>What was charged and not used is given back. What was used beyond that is charged whether the bucket holds it or not, so
 * that it may be left with a debt, and whose it is waits the longer. A later settlement replaces an earlier one.
 */
public final class RateLimitCharges {
    private static final String ATTRIBUTE = RateLimitCharges.class.getName();
    private static final RateLimitCharges NONE = new RateLimitCharges(null, null, List.of(), List.of(), null);

    private final @Nullable RateLimitFilter filter;
    private final @Nullable RateLimitCharges earlier; // of the filter before
    private final List<Charge> charges; // those that were decided on together, then those of policies that only look on
    private final List<PolicyDecision> decisions;
    private final @Nullable HttpServletResponse response; // if a charge depends on its status

    private RateLimitCharges(
            @Nullable RateLimitFilter filter,
            @Nullable RateLimitCharges earlier,
            List<Charge> charges,
            List<PolicyDecision> decisions,
            @Nullable HttpServletResponse response) {
        this.filter = filter;
        this.earlier = earlier;
        this.charges = charges;
        this.decisions = decisions;
        this.response = response;
    }

    /** Returns what {@code request} was charged with by the filter so far; nothing, if no policy covers it. */
    public static RateLimitCharges of(HttpServletRequest request) {
        RateLimitCharges charges = (RateLimitCharges) request.getAttribute(ATTRIBUTE);
        return charges == null ? NONE : charges;
    }

    /**
     * Sees to it that each policy has been charged {@code actualTokens} for this request, in place of what it was.
     *
     * @throws IllegalArgumentException if that is below 0
     */
    public void settle(long actualTokens) {
        requireNotNegative(actualTokens);
        for (RateLimitCharges each = this; each != null; each = each.earlier) {
            each.charges.forEach(charge -> charge.settle(actualTokens));
        }
    }

    /**
     * Sees to it that {@code policy} has been charged {@code actualTokens} for this request, in place of what it was; does
     * nothing if the filter did not charge it.
     *
     * @throws IllegalArgumentException if that is below 0
     */
    public void settle(String policy, long actualTokens) {
        requireNotNegative(actualTokens);
        for (RateLimitCharges each = this; each != null; each = each.earlier) {
            for (Charge charge : each.charges) {
                if (charge.policy().name().equals(policy)) {
                    charge.settle(actualTokens);
                }
            }
        }
    }

    private static void requireNotNegative(long tokens) {
        if (tokens < 0) {
            throw new IllegalArgumentException("actualTokens must not be negative: " + tokens);
        }
    }

    /** Notes on {@code request} that {@code filter} has charged it, be it with nothing. */
    void add(
            HttpServletRequest request,
            HttpServletResponse response,
            RateLimitFilter by,
            List<Charge> charged,
            List<PolicyDecision> decided) {
        boolean dependsOnStatus = false;
        for (int i = 0; i < charged.size(); i++) {
            dependsOnStatus |= charged.get(i).dependsOnStatus();
        }
        request.setAttribute(
                ATTRIBUTE,
                new RateLimitCharges(
                        by, this == NONE ? null : this, charged, decided, dependsOnStatus ? response : null));
    }

    boolean areBy(RateLimitFilter candidate) {
        return filter == candidate || earlier != null && earlier.areBy(candidate);
    }

    /** Gives back what was decided on together, and returns what the policies say then. */
    List<PolicyDecision> giveBack() {
        List<PolicyDecision> all = new ArrayList<>();
        for (RateLimitCharges each = this; each != null; each = each.earlier) {
            for (int i = 0; i < each.decisions.size(); i++) {
                all.add(each.decisions.get(i).givenBack(each.charges.get(i).giveBack()));
            }
        }
        return all;
    }

    /** Gives back what the status of the response does not ask for. */
    void decideByStatus() {
        for (RateLimitCharges each = this; each != null; each = each.earlier) {
            HttpServletResponse answer = each.response;
            if (answer != null) {
                each.charges.forEach(charge -> charge.decideBy(answer.getStatus()));
            }
        }
    }
}
