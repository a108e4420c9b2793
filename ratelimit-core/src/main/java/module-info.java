/** Token buckets and a limiter of many clients; JSpecify's annotations are only read by compilers and tools. */
module dev.ratelimit.core {
    requires static transitive org.jspecify;
    requires com.github.benmanes.caffeine;

    exports dev.ratelimit;
}
