package dev.ratelimit.spring;

import dev.ratelimit.Claim;
import dev.ratelimit.NanoClock;
import dev.ratelimit.spring.WaitingLine.Place;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decides calls of {@link RateLimited} methods. Thread-safe. */
final class CallLimiter {
    private final RateLimitedCalls calls;
    private final PolicyLimiter limiter;
    private final NanoClock clock;
    private final CallContexts contexts;
    private final WaitingLine line;

    CallLimiter(RateLimitedCalls calls, PolicyLimiter limiter, NanoClock clock, CallContexts contexts) {
        this.calls = calls;
        this.limiter = limiter;
        this.clock = clock;
        this.contexts = contexts;
        this.line = new WaitingLine(limiter, clock);
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
            return limits.stream()
                    .mapToLong(RateLimitedCall::maxWaitNanos)
                    .min()
                    .orElse(0);
        }
    }

    /**
     * Why a call may not go on.
     *
     * @param limit the first that denied it
     */
    record Denial(RateLimitedCall limit, RateLimitExceededException exceeded) {}

    /**
     * What was decided on one call.
     *
     * @param charges what it was charged with
     * @param place where it stands in line, if it has to wait
     * @param denial why it may not go on; if it stands in line, only if it gives its place up
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
            clock.sleep(line.waitNanos(place));
            return new Answer(answer.charges(), null, null);
        } catch (InterruptedException e) {
            line.giveBack(place);
            Thread.currentThread().interrupt(); // the call is denied; that it was interrupted is for the caller to see
            return new Answer(RateLimitCharges.NONE, null, answer.denial());
        }
    }

    /** Decides a call; one that has to wait for its tokens has its place in line by then. */
    Answer decide(Request request) {
        List<Claim> lookedOn = lookOn(request.lookingOn());
        List<Claim> claims = request.claims();
        List<PolicyDecision> decisions = limiter.tryConsume(claims);
        Denial denial = denial(request, decisions);
        Place place = denial == null ? null : place(claims, decisions, request.maxWaitNanos());
        if (place != null) {
            decisions = PolicyDecision.listOf(claims, place.decisions());
        }
        limiter.note(claims, decisions);
        contexts.current().decided(decisions);
        return new Answer(charges(request, denial == null || place != null, lookedOn), place, denial);
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

    /** Returns a place in line, if the call may wait for that long. Who is under a penalty does not wait. */
    private @Nullable Place place(List<Claim> claims, List<PolicyDecision> decisions, long maxWaitNanos) {
        for (PolicyDecision each : decisions) {
            if (each.penalized() || each.decision().retryAfterNanos() > maxWaitNanos) {
                return null;
            }
        }
        return line.take(claims, maxWaitNanos);
    }

    private RateLimitCharges charges(Request request, boolean allowed, List<Claim> lookedOn) {
        if (request.method().charges() < 0 || !allowed) {
            return RateLimitCharges.NONE;
        }
        List<Claim> charged = new ArrayList<>(request.claims());
        charged.addAll(lookedOn);
        return new CallCharges(limiter, charged);
    }

    /** Returns how long a call that stands in line has to wait yet. */
    long waitNanos(Place place) {
        return line.waitNanos(place);
    }

    void giveBack(Place place) {
        line.giveBack(place);
    }
}
