package dev.ratelimit.spring.web;

import dev.ratelimit.Claim;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.PolicyDecision;
import dev.ratelimit.spring.PolicyReservation;
import dev.ratelimit.spring.RateLimitCharges;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;

/** What the filter charged a request with; a handler of Spring MVC may just as well have it as a parameter. Thread-safe. */
final class RequestCharges implements RateLimitCharges {
    private static final String ATTRIBUTE = RequestCharges.class.getName();
    private static final RequestCharges NONE = new RequestCharges(null, null, Map.of(), List.of(), null, null);
    private static final AtomicReferenceFieldUpdater<RequestCharges, @Nullable PolicyReservation> RESERVED =
            AtomicReferenceFieldUpdater.newUpdater(RequestCharges.class, PolicyReservation.class, "reserved");

    private final @Nullable RateLimitFilter filter;
    private final @Nullable RequestCharges earlier; // of the filter before
    private final Map<String, ConfiguredPolicy> policies; // as they were when the first filter was asked
    private final List<Charge> charges; // those that were decided on together, then those of policies that only look on
    private final @Nullable HttpServletResponse response; // if a charge depends on its status
    private volatile @Nullable PolicyReservation reserved; // what a later filter may undo

    private RequestCharges(
            @Nullable RateLimitFilter filter,
            @Nullable RequestCharges earlier,
            Map<String, ConfiguredPolicy> policies,
            List<Charge> charges,
            @Nullable PolicyReservation reserved,
            @Nullable HttpServletResponse response) {
        this.filter = filter;
        this.earlier = earlier;
        this.policies = policies;
        this.charges = charges;
        this.reserved = reserved;
        this.response = response;
    }

    /** Returns what {@code request} was charged with by the filter so far; nothing, if no policy covers it. */
    static RequestCharges of(HttpServletRequest request) {
        RequestCharges charges = (RequestCharges) request.getAttribute(ATTRIBUTE);
        return charges == null ? NONE : charges;
    }

    @Override
    public void settle(long actualTokens) {
        requireNotNegative(actualTokens);
        for (RequestCharges each = this; each != null; each = each.earlier) {
            each.charges.forEach(charge -> charge.settle(actualTokens));
        }
    }

    @Override
    public void settle(String policy, long actualTokens) {
        requireNotNegative(actualTokens);
        boolean found = false;
        for (RequestCharges each = this; each != null; each = each.earlier) {
            for (Charge charge : each.charges) {
                if (charge.policy().name().equals(policy)) {
                    charge.settle(actualTokens);
                    found = true;
                }
            }
        }
        if (!found && filter != null) {
            filter.requireConfigured(policy);
        }
    }

    private static void requireNotNegative(long tokens) {
        if (tokens < 0) {
            throw new IllegalArgumentException("actualTokens must not be negative: " + tokens);
        }
    }

    /** Notes on {@code request} that a filter has charged it, be it with nothing, and how to undo it if a later one denies. */
    void add(
            HttpServletRequest request,
            HttpServletResponse response,
            RateLimitFilter by,
            Map<String, ConfiguredPolicy> under,
            List<Charge> charged,
            @Nullable PolicyReservation taken) {
        boolean dependsOnStatus = false;
        for (int i = 0; i < charged.size(); i++) {
            dependsOnStatus |= charged.get(i).dependsOnStatus();
        }
        request.setAttribute(
                ATTRIBUTE,
                new RequestCharges(
                        by, this == NONE ? null : this, under, charged, taken, dependsOnStatus ? response : null));
    }

    /** Returns the policies that the filter before went by, or {@code now} if there was none. */
    Map<String, ConfiguredPolicy> policiesOr(Map<String, ConfiguredPolicy> now) {
        return this == NONE ? now : policies;
    }

    boolean areBy(RateLimitFilter candidate) {
        return filter == candidate || (earlier != null && earlier.areBy(candidate));
    }

    /** Gives back what was decided on together, but for what has flowed in again, and returns what the policies say then. */
    List<PolicyDecision> giveBack() {
        List<PolicyDecision> all = new ArrayList<>();
        for (RequestCharges each = this; each != null; each = each.earlier) {
            PolicyReservation taken = RESERVED.getAndSet(each, null);
            if (taken != null) {
                all.addAll(taken.undo());
                each.undone(taken.claims());
            }
        }
        return all;
    }

    private void undone(List<Claim> claims) {
        for (int i = 0; i < claims.size(); i++) {
            charges.get(i).undone(claims.get(i).tokens());
        }
    }

    /** Gives back what the status of the response does not ask for. */
    void decideByStatus() {
        for (RequestCharges each = this; each != null; each = each.earlier) {
            HttpServletResponse answer = each.response;
            if (answer != null) {
                each.charges.forEach(charge -> charge.decideBy(answer.getStatus()));
            }
        }
    }
}
