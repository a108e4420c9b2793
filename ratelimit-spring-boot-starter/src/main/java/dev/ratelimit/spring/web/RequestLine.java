package dev.ratelimit.spring.web;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.ServletRegistration;
import jakarta.servlet.http.HttpServletMapping;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.MappingMatch;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.server.PathContainer;
import org.springframework.http.server.RequestPath;
import org.springframework.util.StringUtils;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.util.ServletRequestPathUtils;

/**
 * The method and the path of a request, as the handlers will see them. Not thread-safe.
 *
 * <p>The path is parsed when it is first needed, and anew, as the dispatcher will: a path that another filter parsed may have
 * been rewritten since.
 */
final class RequestLine {
    private static final PathContainer.Options DECODED = PathContainer.Options.create('/', false);

    private final HttpServletRequest request;
    private final String method;
    private final String uri;
    private final boolean isElsewhere; // with another servlet than Spring's
    private final int pathStart;
    private @Nullable PathContainer parsed;
    private @Nullable PathContainer cleaned;
    private boolean isCleaned;

    RequestLine(HttpServletRequest request) {
        this.request = request;
        this.method = request.getMethod();
        this.uri = request.getRequestURI();
        this.isElsewhere = isElsewhere(request);
        this.pathStart = pathStart(request, uri);
    }

    String method() {
        return method;
    }

    /** Returns the URI as it was sent, which has the path from {@link #rawPathStart} on; null if parsing has to find it. */
    @Nullable
    String rawPath() {
        return pathStart < 0 ? null : uri;
    }

    int rawPathStart() {
        return pathStart;
    }

    /** Returns the path within the application. */
    PathContainer parsedPath() {
        PathContainer path = parsed;
        if (path == null) {
            path = isElsewhere
                    ? RequestPath.parse(uri, request.getContextPath()).pathWithinApplication()
                    : ServletRequestPathUtils.parse(request).pathWithinApplication();
            parsed = path;
        }
        return path;
    }

    /**
     * Returns the path as the handler of static files reads it: without empty and dot segments, and with a backslash for a
     * slash; null if that changes nothing.
     */
    @Nullable
    PathContainer cleanedPath() {
        if (!isCleaned) {
            cleaned = isClean(uri) ? null : cleaned(parsedPath());
            isCleaned = true;
        }
        return cleaned;
    }

    /** Whether {@code uri} is clean at first sight; most are. */
    private static boolean isClean(String uri) {
        return uri.indexOf('%') < 0
                && uri.indexOf('\\') < 0
                && !uri.contains("//")
                && !uri.contains("/.")
                && !uri.contains("/;")
                && !uri.endsWith("/");
    }

    private static PathContainer cleaned(PathContainer path) {
        StringBuilder text = new StringBuilder();
        for (PathContainer.Element element : path.elements()) {
            text.append(element instanceof PathContainer.PathSegment segment ? segment.valueToMatch() : "/");
        }
        List<String> segments = new ArrayList<>();
        for (String segment : StringUtils.tokenizeToStringArray(text.toString(), "/\\", false, true)) {
            switch (segment) {
                case "." -> {}
                case ".." ->
                    segments.subList(Math.max(0, segments.size() - 1), segments.size())
                            .clear();
                default -> segments.add(segment);
            }
        }
        return PathContainer.parsePath('/' + String.join("/", segments), DECODED);
    }

    /** Returns where the context's path ends; -1 where the dispatcher has a path of its own, or another path is included. */
    private int pathStart(HttpServletRequest request, String uri) {
        HttpServletMapping mapping = request.getHttpServletMapping();
        if (mapping == null
                || (mapping.getMappingMatch() == MappingMatch.PATH && !isElsewhere)
                || request.getDispatcherType() == DispatcherType.INCLUDE) {
            return -1;
        }
        String context = request.getContextPath();
        int start = context.length();
        boolean starts = uri.startsWith(context) && start < uri.length() && uri.charAt(start) == '/';
        return starts ? start : -1;
    }

    /**
     * Whether a servlet has this path that is not Spring's dispatcher. It has no handlers whose paths would leave its own
     * out, so that it is known by the whole.
     */
    private static boolean isElsewhere(HttpServletRequest request) {
        HttpServletMapping mapping = request.getHttpServletMapping();
        if (mapping == null
                || mapping.getMappingMatch() != MappingMatch.PATH
                || request.getDispatcherType() == DispatcherType.INCLUDE) {
            return false;
        }
        ServletRegistration servlet = request.getServletContext().getServletRegistration(mapping.getServletName());
        return servlet != null && !DispatcherServlet.class.getName().equals(servlet.getClassName());
    }
}
