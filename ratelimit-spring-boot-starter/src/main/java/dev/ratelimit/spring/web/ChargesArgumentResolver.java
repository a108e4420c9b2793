package dev.ratelimit.spring.web;

import dev.ratelimit.spring.RateLimitCharges;
import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;
import org.springframework.core.MethodParameter;
import org.springframework.web.bind.support.WebDataBinderFactory;
import org.springframework.web.context.request.NativeWebRequest;
import org.springframework.web.method.support.HandlerMethodArgumentResolver;
import org.springframework.web.method.support.ModelAndViewContainer;

/**
 * Gives a handler what the filter charged its request with. One that is annotated gets its own in place of that. Immutable.
 *
 * @hidden
 */
public final class ChargesArgumentResolver implements HandlerMethodArgumentResolver {

    @Override
    public boolean supportsParameter(MethodParameter parameter) {
        return parameter.getParameterType() == RateLimitCharges.class;
    }

    @Override
    public RateLimitCharges resolveArgument(
            MethodParameter parameter,
            @Nullable ModelAndViewContainer container,
            NativeWebRequest request,
            @Nullable WebDataBinderFactory binders) {
        HttpServletRequest current = request.getNativeRequest(HttpServletRequest.class);
        return current == null ? RateLimitCharges.NONE : RequestCharges.of(current);
    }
}
