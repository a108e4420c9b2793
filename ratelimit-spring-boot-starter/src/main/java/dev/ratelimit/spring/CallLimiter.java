package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.NanoClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decides calls of {@link RateLimited} methods. Thread-safe. */
final class CallLimiter {
    private final RateLimitedCalls calls;
    private final PolicyLimiter limiter;
    private final NanoClock clock;
    private final CallContexts contexts;

    CallLimiter(RateLimitedCalls calls, PolicyLimiter limiter, NanoClock clock, CallContexts contexts) {
        this.calls = calls;
        this.limiter = limiter;
        this.clock = clock;
        this.contexts = contexts;
    }

    /**
     * What one call asks for.
     *
     * @param limits those that have to allow it
     * @param claims what each of them is asked for
     * @param lookingOn what those are asked for that only look on
     */
    record Request(RateLimitedMethod method, List<RateLimitedCall> limits, List<Claim> claims, List<Claim> lookingOn) {

        /** Several limits on one call have to agree on how long it may wait, so the most impatient one decides. */
        long maxWaitNanos() {
            long maxWaitNanos = limits.isEmpty() ? 0 : Long.MAX_VALUE;
            for (RateLimitedCall limit : limits) {
                maxWaitNanos = Math.min(maxWaitNanos, limit.maxWaitNanos());
            }
            return maxWaitNanos;
        }
    }

    /**
     * Why a call may not go on.
     *
     * @param limit the first that denied it
     */
    record Denial(RateLimitedCall limit, RateLimitExceededException exceeded) {}

    /**
     * The place of a call that has to wait: before all who come later, from the moment it asks.
     *
     * @param reserved its tokens
     * @param readyAt the reading of the clock at which it may go on
     */
    record Place(PolicyReservation reserved, long readyAt) {}

    /**
     * What was decided on one call.
     *
     * @param charges what it was charged with
     * @param place where it stands in line, if it has to wait
     * @param denial why it may not go on
     */
    record Answer(
            RateLimitCharges charges,
            @Nullable Place place,
            @Nullable Denial denial) {}

    RateLimitedCalls calls() {
        return calls;
    }

    CallContext context() {
        return contexts.current();
    }

    NanoClock clock() {
        return clock;
    }

    PolicyLimiter limiter() {
        return limiter;
    }

    /** Returns what a call with those arguments asks for, without what skips the caller. */
    Request request(RateLimitedMethod method, @Nullable Object[] arguments, CallContext caller) {
        List<RateLimitedCall> limits = new ArrayList<>();
        List<Claim> claims = new ArrayList<>();
        List<Claim> lookingOn = new ArrayList<>();
        for (RateLimitedCall limit : method.limits()) {
            if (caller.skips(limit.policy().policy().name())) {
                continue;
            }
            if (limit.policy().mode() == PolicyMode.SHADOW) {
                addQuietly(limit, arguments, caller, lookingOn);
            } else {
                limits.add(limit);
                claims.add(limit.claim(arguments, caller));
            }
        }
        return new Request(method, limits, claims, lookingOn);
    }

    /** What goes wrong with a policy that only looks on is not for the caller to see. */
    private static void addQuietly(
            RateLimitedCall limit, @Nullable Object[] arguments, CallContext caller, List<Claim> claims) {
        try {
            claims.add(limit.claim(arguments, caller));
        } catch (RuntimeException e) {
            // it comes to no decision
        }
    }

    /** Decides a call on this thread, which waits for its tokens if they are there in time. */
    Answer decideAndWait(Request request) {
        Answer answer = decide(request);
        Place place = answer.place();
        if (place == null) {
            return answer;
        }
        try {
            clock.sleep(waitNanos(place));
            return answer;
        } catch (InterruptedException e) {
            Denial denial = denial(request, place.reserved().undo());
            Thread.currentThread().interrupt(); // the call is denied; that it was interrupted is for the caller to see
            return new Answer(RateLimitCharges.NONE, null, denial);
        }
    }

    /** Decides a call; one that has to wait for its tokens has its place in line by then. */
    Answer decide(Request request) {
        List<Claim> lookedOn = lookOn(request.lookingOn());
        PolicyReservation reserved = limiter.decide(request.claims(), Duration.ofNanos(request.maxWaitNanos()));
        contexts.current().decided(reserved.decisions());
        Denial denial = denial(request, reserved.decisions());
        return denial == null
                ? new Answer(charges(request, lookedOn), place(reserved), null)
                : new Answer(RateLimitCharges.NONE, null, denial);
    }

    /** Has policies decide that only look on, each by itself, and returns what they allowed and charged. */
    private List<Claim> lookOn(List<Claim> lookingOn) {
        List<Claim> charged = new ArrayList<>(lookingOn.size());
        for (Claim claim : lookingOn) {
            if (limiter.shadow(() -> claim)) {
                charged.add(claim);
            }
        }
        return charged;
    }

    private static @Nullable Denial denial(Request request, List<PolicyDecision> decisions) {
        List<PolicyDecision> violations = PolicyDecision.violationsIn(decisions);
        return violations.isEmpty()
                ? null
                : new Denial(
                        request.limits().get(decisions.indexOf(violations.get(0))),
                        new RateLimitExceededException(violations));
    }

    private @Nullable Place place(PolicyReservation reserved) {
        long waitNanos = reserved.reservation().waitNanos();
        return waitNanos == 0 ? null : new Place(reserved, clock.nanos() + waitNanos);
    }

    private RateLimitCharges charges(Request request, List<Claim> lookedOn) {
        if (request.method().charges() < 0) {
            return RateLimitCharges.NONE;
        }
        List<Claim> charged = new ArrayList<>(request.claims());
        charged.addAll(lookedOn);
        return new CallCharges(limiter, charged);
    }

    /** Returns how long a call that stands in line has to wait yet; 0 or less if it may go on. */
    long waitNanos(Place place) {
        return place.readyAt() - clock.nanos();
    }
}
