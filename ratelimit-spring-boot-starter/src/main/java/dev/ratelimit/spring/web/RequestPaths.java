package dev.ratelimit.spring.web;

import java.util.List;
import org.springframework.http.server.PathContainer;
import org.springframework.web.util.pattern.PathPattern;

/**
 * Which paths a policy covers: those that one of the included patterns matches, and none of the excluded. Immutable.
 *
 * @hidden
 */
public final class RequestPaths {
    private final List<RequestPattern> included;
    private final List<RequestPattern> excluded;

    /**
     * Creates the paths that those patterns tell of.
     *
     * @param included none if the filter leaves the policy alone
     * @param caseSensitive whether the parser that read the patterns made them so
     */
    public RequestPaths(List<PathPattern> included, List<PathPattern> excluded, boolean caseSensitive) {
        this.included = patterns(included, caseSensitive);
        this.excluded = patterns(excluded, caseSensitive);
    }

    private static List<RequestPattern> patterns(List<PathPattern> patterns, boolean caseSensitive) {
        return patterns.stream()
                .map(each -> RequestPattern.of(each, caseSensitive))
                .toList();
    }

    /** Returns the patterns of which one has to match. */
    public List<PathPattern> included() {
        return included.stream().map(RequestPattern::pattern).toList();
    }

    /** Returns the patterns of which none may match. */
    public List<PathPattern> excluded() {
        return excluded.stream().map(RequestPattern::pattern).toList();
    }

    boolean isEmpty() {
        return included.isEmpty();
    }

    /** A path that files are served by in another spelling is covered if either is, and excluded if both are. */
    boolean match(RequestLine request) {
        if (!include(request)) {
            return false;
        }
        return !anyMatches(excluded, request)
                || (request.cleanedPath() != null && !anyMatchesCleaned(excluded, request));
    }

    boolean include(RequestLine request) {
        return anyMatches(included, request) || anyMatchesCleaned(included, request);
    }

    private static boolean anyMatchesCleaned(List<RequestPattern> patterns, RequestLine request) {
        PathContainer path = request.cleanedPath();
        return path != null && patterns.stream().anyMatch(each -> each.pattern().matches(path));
    }

    private static boolean anyMatches(List<RequestPattern> patterns, RequestLine request) {
        for (int i = 0; i < patterns.size(); i++) { // no iterator: this runs for every request
            if (patterns.get(i).matches(request)) {
                return true;
            }
        }
        return false;
    }
}
