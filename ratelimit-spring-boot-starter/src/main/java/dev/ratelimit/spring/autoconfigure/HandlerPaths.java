package dev.ratelimit.spring.autoconfigure;

import dev.ratelimit.spring.web.RequestPaths;
import jakarta.servlet.ServletRegistration;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.springframework.core.io.Resource;
import org.springframework.http.server.PathContainer;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.servlet.HandlerMapping;
import org.springframework.web.servlet.function.support.RouterFunctionMapping;
import org.springframework.web.servlet.handler.AbstractUrlHandlerMapping;
import org.springframework.web.servlet.mvc.method.RequestMappingInfo;
import org.springframework.web.servlet.mvc.method.RequestMappingInfoHandlerMapping;
import org.springframework.web.servlet.resource.ResourceHttpRequestHandler;
import org.springframework.web.util.pattern.PathPattern;

/** Which paths the application serves, as far as its handler mappings and servlets tell. Immutable. */
final class HandlerPaths {
    private static final String EVERYTHING = "/**";
    private static final Pattern VARIABLE = Pattern.compile("\\{[^/]*?}|\\*+|\\?");
    private static final List<String> SAMPLES = List.of("x", "1");

    private final List<String> patterns = new ArrayList<>();
    private final List<ResourceHttpRequestHandler> resources = new ArrayList<>();
    private boolean complete;

    HandlerPaths(List<HandlerMapping> mappings, Collection<? extends ServletRegistration> servlets) {
        complete = !mappings.isEmpty();
        for (HandlerMapping mapping : mappings) {
            add(mapping);
        }
        for (ServletRegistration servlet : servlets) {
            add(servlet);
        }
    }

    private void add(ServletRegistration servlet) {
        if (!DispatcherServlet.class.getName().equals(servlet.getClassName())) {
            for (String mapping : servlet.getMappings()) {
                complete &= mapping.length() > 1 && mapping.startsWith("/");
                patterns.add(mapping.endsWith("/*") ? mapping + '*' : mapping);
            }
        }
    }

    private void add(HandlerMapping mapping) {
        if (mapping instanceof RequestMappingInfoHandlerMapping methods) {
            for (RequestMappingInfo info : methods.getHandlerMethods().keySet()) {
                patterns.addAll(info.getPatternValues());
            }
        } else if (mapping instanceof AbstractUrlHandlerMapping urls) {
            urls.getHandlerMap().forEach(this::add);
            complete &= urls.getDefaultHandler() == null;
        } else if (!(mapping instanceof RouterFunctionMapping functions) || functions.getRouterFunction() != null) {
            complete = false;
        }
    }

    /** Boot serves static resources everywhere, and that is no reason to take a path for one that exists. */
    private void add(String pattern, Object handler) {
        if (pattern.equals(EVERYTHING) && handler instanceof ResourceHttpRequestHandler everywhere) {
            resources.add(everywhere);
        } else {
            patterns.add(pattern);
        }
    }

    /** Whether it is certain that nothing answers where {@code pattern} matches. */
    boolean certainlyLack(PathPattern pattern) {
        Segments segments = Segments.of(pattern.getPatternString());
        return complete
                && patterns.stream().noneMatch(each -> Segments.of(each).mayMeet(segments))
                && resources.stream().noneMatch(each -> has(each, segments.literalPrefix()));
    }

    private static boolean has(ResourceHttpRequestHandler handler, String path) {
        for (Resource location : handler.getLocations()) {
            try {
                if (location.createRelative(path).exists()
                        || location.createRelative(path + '/').exists()) {
                    return true;
                }
            } catch (IOException e) {
                return true; // nothing is certain
            }
        }
        return false;
    }

    /**
     * Whether it is certain that {@code paths} have one in common with {@code handler}: one is found among the simplest that
     * either of them matches.
     */
    static boolean certainlyMeet(RequestPaths paths, PathPattern handler) {
        return Stream.concat(Stream.of(handler), paths.included().stream())
                .flatMap(pattern -> SAMPLES.stream()
                        .map(sample ->
                                VARIABLE.matcher(pattern.getPatternString()).replaceAll(sample)))
                .map(PathContainer::parsePath)
                .anyMatch(path -> handler.matches(path)
                        && paths.included().stream().anyMatch(each -> each.matches(path))
                        && paths.excluded().stream().noneMatch(each -> each.matches(path)));
    }

    /**
     * A pattern cut into what stands between slashes, as far as that is easily compared.
     *
     * @param open whether anything may follow
     */
    private record Segments(List<String> parts, boolean open) {

        static Segments of(String pattern) {
            List<String> parts = new ArrayList<>();
            for (String part : pattern.split("/", -1)) {
                if (part.contains("**") || part.contains("{*") || part.contains(":")) {
                    return new Segments(parts, true);
                }
                if (!part.isEmpty()) {
                    parts.add(part);
                }
            }
            return new Segments(parts, false);
        }

        boolean mayMeet(Segments other) {
            int common = Math.min(parts.size(), other.parts.size());
            for (int i = 0; i < common; i++) {
                String one = parts.get(i);
                String two = other.parts.get(i);
                if (isLiteral(one) && isLiteral(two) && !one.equalsIgnoreCase(two)) {
                    return false;
                }
            }
            return (parts.size() == common || other.open) && (other.parts.size() == common || open);
        }

        String literalPrefix() {
            int end = 0;
            while (end < parts.size() && isLiteral(parts.get(end))) {
                end++;
            }
            return String.join("/", parts.subList(0, end));
        }

        private static boolean isLiteral(String part) {
            return part.indexOf('*') < 0 && part.indexOf('?') < 0 && part.indexOf('{') < 0;
        }
    }
}
