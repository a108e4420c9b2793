package dev.ratelimit.benchmarks;

import org.jspecify.annotations.Nullable;
import org.springframework.mock.web.MockHttpServletRequest;

/** A request that can be filtered over and over, and allocates nothing for what a filter asks it. Not thread-safe. */
final class LeanRequest extends MockHttpServletRequest {
    private static final int ATTRIBUTES = 8;

    private final String[] headers;
    private final @Nullable String[] names = new String[ATTRIBUTES];
    private final @Nullable Object[] values = new Object[ATTRIBUTES];

    /** Takes the path and then the names and values of headers, in turn. */
    LeanRequest(String path, String... headers) {
        super("GET", path);
        this.headers = headers;
        setRemoteAddr("192.0.2.1");
    }

    /** Forgets the attributes, as a server does between two requests. */
    LeanRequest next() {
        for (int i = 0; i < ATTRIBUTES; i++) {
            names[i] = null;
            values[i] = null;
        }
        return this;
    }

    /** Looks for it as Tomcat does, one line after the other. */
    @Override
    public @Nullable String getHeader(String name) {
        for (int i = 0; i < headers.length; i += 2) {
            if (headers[i].equalsIgnoreCase(name)) {
                return headers[i + 1];
            }
        }
        return null;
    }

    @Override
    public @Nullable Object getAttribute(String name) {
        for (int i = 0; i < ATTRIBUTES; i++) {
            if (name.equals(names[i])) {
                return values[i];
            }
        }
        return null;
    }

    @Override
    public void setAttribute(String name, @Nullable Object value) {
        int free = -1;
        for (int i = 0; i < ATTRIBUTES; i++) {
            if (name.equals(names[i])) {
                values[i] = value;
                return;
            }
            if (free < 0 && names[i] == null) {
                free = i;
            }
        }
        names[free] = name;
        values[free] = value;
    }

    @Override
    public void removeAttribute(String name) {
        for (int i = 0; i < ATTRIBUTES; i++) {
            if (name.equals(names[i])) {
                names[i] = null;
                values[i] = null;
            }
        }
    }
}
