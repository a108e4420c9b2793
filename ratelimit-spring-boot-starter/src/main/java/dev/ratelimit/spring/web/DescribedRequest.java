package dev.ratelimit.spring.web;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletRegistration;
import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletMapping;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.MappingMatch;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.util.StringUtils;
import org.springframework.web.util.UriUtils;

/**
 * A request as an operator describes it. Immutable.
 *
 * @param path as clients send it: encoded, with the context's path, and with a query if that matters
 * @param address the socket's other end, or null if that does not matter
 * @param principal the user's name, or null if nobody is logged in
 * @hidden
 */
public record DescribedRequest(
        String method,
        String path,
        @Nullable String address,
        @Nullable String principal,
        HttpHeaders headers) {
    private static final String FAILURES = DescribedRequest.class.getName() + ".failures";

    /** Takes note, if {@code request} is a described one, that a bean of the application's failed to answer for it. */
    static void noteFailure(HttpServletRequest request, String bean, RuntimeException failure) {
        if (request.getAttribute(FAILURES) instanceof Failures failures) {
            String detail = failure instanceof Undescribed ? ": " + failure.getMessage() : "";
            failures.sentences.add(bean + " threw " + failure.getClass().getSimpleName() + detail);
        }
    }

    /** What beans failed at; what they said of it may name the client, and is left out. */
    private record Failures(List<String> sentences) {}

    /** Thrown for what nobody described. */
    private static final class Undescribed extends UnsupportedOperationException {
        private static final long serialVersionUID = 1L;

        Undescribed(String what) {
            super(what + " is not described");
        }
    }

    /**
     * Returns the request for those who can only ask one: they can read what is described, and hear of all else that it is not.
     *
     * @param failures where it is noted what beans failed at
     * @param user the user's name as they are to see it
     */
    HttpServletRequest asked(
            ServletContext context, ClientAddress client, List<String> failures, @Nullable String user) {
        Answers answers = new Answers(this, context, user);
        answers.attributes.put(FAILURES, new Failures(failures));
        IpAddress from = client.of(address, name -> Collections.enumeration(values(name)));
        answers.attributes.put(ClientAddress.ATTRIBUTE, from == null ? "none" : from); // nothing is to be looked for
        return (HttpServletRequest) Proxy.newProxyInstance(
                DescribedRequest.class.getClassLoader(), new Class<?>[] {HttpServletRequest.class}, answers);
    }

    List<String> values(String header) {
        return headers.getOrDefault(header, List.of());
    }

    private String uri() {
        int query = path.indexOf('?');
        return query < 0 ? path : path.substring(0, query);
    }

    private @Nullable String query() {
        int query = path.indexOf('?');
        return query < 0 ? null : path.substring(query + 1);
    }

    private Cookie @Nullable [] cookies() {
        List<Cookie> cookies = new ArrayList<>();
        for (String line : values(HttpHeaders.COOKIE)) {
            for (String pair : StringUtils.tokenizeToStringArray(line, ";")) {
                int equals = pair.indexOf('=');
                if (equals > 0) {
                    cookies.add(new Cookie(
                            pair.substring(0, equals).strip(),
                            pair.substring(equals + 1).strip()));
                }
            }
        }
        return cookies.isEmpty() ? null : cookies.toArray(Cookie[]::new);
    }

    private @Nullable String parameter(String name) {
        String query = query();
        if (query != null) {
            for (String pair : StringUtils.delimitedListToStringArray(query, "&")) {
                int equals = pair.indexOf('=');
                String key = equals < 0 ? pair : pair.substring(0, equals);
                if (UriUtils.decode(key, StandardCharsets.UTF_8).equals(name)) {
                    return equals < 0 ? "" : UriUtils.decode(pair.substring(equals + 1), StandardCharsets.UTF_8);
                }
            }
        }
        return null;
    }

    /** Answers for the request, by the name of what is asked. */
    private static final class Answers implements InvocationHandler {
        private final DescribedRequest described;
        private final ServletContext context;
        private final @Nullable String user;
        private final Map<String, Object> attributes = new HashMap<>();

        Answers(DescribedRequest described, ServletContext context, @Nullable String user) {
            this.described = described;
            this.context = context;
            this.user = user;
        }

        @Override
        @SuppressWarnings({"JdkObsolete", "ReferenceEquality"}) // as a request has a StringBuffer, and equals no other
        public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] arguments) {
            String first = arguments != null && arguments.length > 0 ? String.valueOf(arguments[0]) : "";
            return switch (method.getName()) {
                case "getMethod" -> described.method;
                case "getRequestURI" -> described.uri();
                case "getRequestURL" -> new StringBuffer(described.uri());
                case "getQueryString" -> described.query();
                case "getParameter" -> described.parameter(first);
                case "getContextPath" -> context.getContextPath();
                case "getServletContext" -> context;
                case "getHttpServletMapping" -> mapping();
                case "getServletPath" -> servletPath();
                case "getPathInfo" -> null;
                case "getDispatcherType" -> DispatcherType.REQUEST;
                case "getProtocol" -> "HTTP/1.1";
                case "getRemoteAddr", "getRemoteHost" -> described.address;
                case "getUserPrincipal" -> user == null ? null : (Principal) () -> user;
                case "getRemoteUser" -> user;
                case "getHeader" -> described.headers.getFirst(first);
                case "getHeaders" -> Collections.enumeration(described.values(first));
                case "getHeaderNames" -> Collections.enumeration(described.headers.headerNames());
                case "getContentType" -> described.headers.getFirst(HttpHeaders.CONTENT_TYPE);
                case "getCookies" -> described.cookies();
                case "getAttribute" -> attributes.get(first);
                case "getAttributeNames" -> Collections.enumeration(List.copyOf(attributes.keySet()));
                case "isAsyncStarted" -> false;
                case "hashCode" -> System.identityHashCode(proxy);
                case "equals" -> proxy == Objects.requireNonNull(arguments)[0];
                case "toString" -> "a described request";
                default -> throw new Undescribed(method.getName());
            };
        }

        private String servletPath() {
            return mapping().getMappingMatch() == MappingMatch.PATH
                    ? mapping().getPattern().replace("/*", "")
                    : described.uri().substring(context.getContextPath().length());
        }

        /** Finds the servlet as the container would (Servlet 6.1, section 12.1), as far as it is one that has a path of its own. */
        private HttpServletMapping mapping() {
            String path = described.uri().substring(context.getContextPath().length());
            String found = "/";
            String servlet = "";
            for (ServletRegistration each : context.getServletRegistrations().values()) {
                for (String pattern : each.getMappings()) {
                    boolean longer = pattern.length() > found.length() || servlet.isEmpty();
                    if (pattern.equals(path)) {
                        return new Mapping(MappingMatch.EXACT, pattern, each.getName());
                    }
                    if (pattern.endsWith("/*") && longer && isUnder(path, pattern)) {
                        found = pattern;
                        servlet = each.getName();
                    }
                }
            }
            return new Mapping(servlet.isEmpty() ? MappingMatch.DEFAULT : MappingMatch.PATH, found, servlet);
        }

        private static boolean isUnder(String path, String pattern) {
            String prefix = pattern.substring(0, pattern.length() - 2);
            return path.startsWith(prefix) && (path.length() == prefix.length() || path.charAt(prefix.length()) == '/');
        }
    }

    private record Mapping(MappingMatch match, String pattern, String servlet) implements HttpServletMapping {

        @Override
        public String getMatchValue() {
            return "";
        }

        @Override
        public String getPattern() {
            return pattern;
        }

        @Override
        public String getServletName() {
            return servlet;
        }

        @Override
        public MappingMatch getMappingMatch() {
            return match;
        }
    }
}
