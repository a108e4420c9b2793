package dev.ratelimit.spring.web;

import dev.ratelimit.spring.RateLimitExceededException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.servlet.ModelAndView;

/**
 * Answers a {@link RateLimitExceededException} from a handler, or what code on the way has made of it, with the filter's answer.
 * Thread-safe.
 *
 * <p>It comes first, so that an application's handler of all exceptions does not make something else of a denial.
 *
 * @hidden
 */
public final class RateLimitExceptionResolver implements HandlerExceptionResolver, Ordered {
    private final RateLimitAnswer answer;

    /** Creates the resolver. */
    public RateLimitExceptionResolver(RateLimitAnswer answer) {
        this.answer = answer;
    }

    @Override
    public @Nullable ModelAndView resolveException(
            HttpServletRequest request, HttpServletResponse response, @Nullable Object handler, Exception exception) {
        RateLimitExceededException exceeded = RateLimitExceededException.causeOf(exception);
        if (exceeded == null || response.isCommitted()) {
            return null;
        }
        try {
            answer.denied(request, response, exceeded.violations());
            return new ModelAndView();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // the client is gone
        }
    }

    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }
}
