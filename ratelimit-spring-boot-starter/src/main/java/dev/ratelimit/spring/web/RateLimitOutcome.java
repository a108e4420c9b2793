package dev.ratelimit.spring.web;

import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestEvent;
import jakarta.servlet.ServletRequestListener;
import jakarta.servlet.http.HttpServletRequest;

/**
 * Gives back what a request took if its status does not ask for it, once that status is the one that the client sees.
 * Thread-safe.
 *
 * <p>No filter knows that status: what stands around the filter may change it, and what an exception becomes is for the
 * container and its error page to say. So this listens for the end of the request, of which Tomcat tells when all is over,
 * and Jetty at the end of each dispatch; the last word holds.
 *
 * @hidden
 */
public final class RateLimitOutcome implements ServletRequestListener, AsyncListener {

    @Override
    public void requestDestroyed(ServletRequestEvent event) {
        ServletRequest request = event.getServletRequest();
        if (goesOn(request)) {
            request.getAsyncContext().addListener(this, request, null);
        } else {
            decide(request);
        }
    }

    /** Tomcat refuses to tell of an asynchronous request that has failed, and that is over then. */
    private static boolean goesOn(ServletRequest request) {
        try {
            return request.isAsyncStarted();
        } catch (IllegalStateException e) {
            return false;
        }
    }

    @Override
    public void onComplete(AsyncEvent event) {
        decide(event.getSuppliedRequest());
    }

    private static void decide(ServletRequest request) {
        if (request instanceof HttpServletRequest httpRequest) {
            RequestCharges.of(httpRequest).decideByStatus();
        }
    }

    @Override
    public void onTimeout(AsyncEvent event) {
        // completes yet
    }

    @Override
    public void onError(AsyncEvent event) {
        // completes yet
    }

    @Override
    public void onStartAsync(AsyncEvent event) {
        // is heard of at the end of this dispatch
    }
}
