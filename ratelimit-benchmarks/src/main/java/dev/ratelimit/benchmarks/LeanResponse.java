package dev.ratelimit.benchmarks;

import org.jspecify.annotations.Nullable;
import org.springframework.mock.web.MockHttpServletResponse;

/** A response that holds on to the latest header and to nothing else. Not thread-safe. */
final class LeanResponse extends MockHttpServletResponse {
    private @Nullable String latest;

    @Nullable
    String latest() {
        return latest;
    }

    @Override
    public void setHeader(@Nullable String name, @Nullable String value) {
        latest = value;
    }

    @Override
    public void addHeader(@Nullable String name, @Nullable String value) {
        latest = value;
    }
}
