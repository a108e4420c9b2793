package dev.ratelimit.sample;

import dev.ratelimit.spring.RateLimited;
import org.springframework.stereotype.Service;

/** Any bean can be limited, not only a controller; a denied call becomes the same 429. */
@Service
public class ReportService {

    /** Five reports a minute for each tenant. */
    @RateLimited(limit = "5/1m", key = "#tenant")
    public String latest(String tenant) {
        return "The latest report of " + tenant;
    }

    /** A policy of application.yml, where a call costs as many tokens as it has pages. */
    @RateLimited(policy = "export", key = "#tenant", tokens = "#pages")
    public String export(String tenant, int pages) {
        return pages + " pages of " + tenant;
    }
}
