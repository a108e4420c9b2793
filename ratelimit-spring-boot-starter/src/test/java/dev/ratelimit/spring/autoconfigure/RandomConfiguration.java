package dev.ratelimit.spring.autoconfigure;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** What somebody may write under {@code ratelimit}, right or wrong, and what it was meant to say. */
final class RandomConfiguration {
    /** Of the policy that is asked about; there may be more. */
    private static final String PREFIX = "ratelimit.policies.api.";

    private final Random random;
    private final Map<String, Object> properties = new LinkedHashMap<>();
    private final List<String> broken = new ArrayList<>();
    private long capacity = Long.MAX_VALUE;
    private long capacityOfOthers = Long.MAX_VALUE;
    private long tokens = 1;
    private boolean limited = true;
    private boolean paths;
    private boolean open;

    RandomConfiguration(long seed) {
        random = new Random(seed);
        limits();
        paths();
        tokens();
        key();
        penalty();
        exemptions();
        if (!limited && properties.keySet().stream().anyMatch(name -> name.startsWith(PREFIX))) {
            broken.add(PREFIX + "limits"); // is missing
        }
        around();
        if (chance(10)) {
            wrong("ratelimit." + pick("polices", "policies.api.limit", "policies.more.limitz", "local.size"), "1");
        }
        if (chance(5)) {
            properties.put("ratelimit.policies." + pick("Api", "a-pi") + ".limits", "1/1m");
            broken.add("ratelimit.policies."); // one of the two
        }
    }

    Map<String, Object> properties() {
        return properties;
    }

    /** The properties that must not start; none if the configuration is right. */
    List<String> broken() {
        return broken;
    }

    /** How many requests of one client may pass while no time does. */
    long admits() {
        return paths && limited && !open ? capacity / tokens : Long.MAX_VALUE;
    }

    private void limits() {
        if (chance(5)) {
            limited = false;
        } else if (chance(20)) {
            wrong(
                    PREFIX + "limits",
                    pick(
                            "",
                            "5",
                            "0/1m",
                            "-5/1m",
                            "5/0s",
                            "5/-1m",
                            "5 per minute",
                            "5/1",
                            "1.5/1m",
                            "1e3/1m",
                            "5/1m burst",
                            "5/1m burst 0",
                            "5/1m,",
                            "9223372036854775808/1m",
                            "2/1ns",
                            "5/1x",
                            "NaN/1m",
                            "${nowhere}",
                            "5/1m;3/1s",
                            "5//1m",
                            "\u0665/1m"));
        } else if (chance(20)) {
            limitInParts();
        } else if (chance(20)) {
            plans();
        } else {
            List<String> texts = new ArrayList<>();
            for (int i = random.nextInt(3); i >= 0; i--) {
                texts.add(limit());
            }
            properties.put(PREFIX + "limits", String.join(pick(",", ", "), texts));
        }
    }

    private String limit() {
        long refill = 1L + random.nextInt(12);
        String limit = refill + "/" + pick("", "2", "30") + pick("s", "m", "h", "d");
        long most = refill;
        if (chance(30)) {
            most = 1L + random.nextInt(30);
            limit += " burst " + most;
        }
        capacity = Math.min(capacity, most);
        return limit;
    }

    private void limitInParts() {
        String limit = PREFIX + "limits[0].";
        long refill = 1L + random.nextInt(12);
        properties.put(limit + "refill-tokens", refill);
        properties.put(limit + "refill-period", pick("1m", "90s", "PT2H"));
        capacity = refill;
        if (chance(30)) {
            capacity = 1L + random.nextInt(30);
            properties.put(limit + "capacity", capacity);
        }
        if (chance(30)) {
            String part = limit + pick("capacity", "refill-tokens");
            wrong(part, pick("0", "-1", "x", "9223372036854775808"));
            broken.add(PREFIX + "limits[0]");
        } else if (chance(20)) {
            wrong(limit + "refill-period", pick("60", "soon", "0s", "-1m", ""));
            broken.add(PREFIX + "limits[0]");
        }
    }

    private void plans() {
        properties.put(PREFIX + "plans.free", limit());
        capacityOfOthers = capacity;
        capacity = Long.MAX_VALUE;
        properties.put(PREFIX + "plans.pro", limit()); // which the client has
        if (chance(20)) {
            wrong(PREFIX + "plans.free", pick("5", "", "0/1m"));
        } else if (chance(20)) {
            properties.put(PREFIX + "limits", "5/1m");
            broken.add(PREFIX + "plans"); // in place of limits, not beside them
        }
    }

    private void paths() {
        if (chance(80)) {
            paths = true;
            properties.put(PREFIX + "paths", pick("/**", "/api/**", "/other, /api/{id}", "/api/orders", "/a*/orders"));
            maybe(
                    PREFIX + "methods",
                    List.of("GET", "get", "GET, POST", "POST,HEAD,GET"),
                    List.of("GTE", "ALL", "GET POST", "*", "CONNECT"));
        } else if (chance(50)) {
            wrong(
                    PREFIX + "paths",
                    pick("api/**", "/api/{id", "/api/**/x/**", "**", "/{*rest}/x/{*rest}", "/api/{a}{a}", "/x, y"));
        } else if (chance(50)) {
            wrong(PREFIX + pick("methods", "charge-on", "exclude"), pick("GET", "401", "/api/**")); // of no paths
        }
        if (paths && chance(20)) {
            open = chance(50);
            properties.put(
                    PREFIX + "exclude", open ? pick("/api/orders", "/**", "/x, /api/**") : pick("/x/**", "/api"));
        } else if (paths) {
            maybe(PREFIX + "charge-on", List.of("4xx", "401, 5xx"), List.of("4x", "999", "ok", "-401"));
        }
    }

    private void tokens() {
        if (chance(20)) {
            tokens = 1L + random.nextInt(6);
            properties.put(PREFIX + "tokens", tokens);
            if (tokens > Math.min(capacity, capacityOfOthers)) {
                broken.add(PREFIX + "tokens");
            }
        } else if (paths && chance(10)) {
            tokens = 2;
            properties.put(PREFIX + "tokens", "two"); // the bean
        } else if (chance(10)) {
            wrong(PREFIX + "tokens", pick("0", "-1", "some", "1.5", "9223372036854775808", "31"));
        }
    }

    private void key() {
        maybe(
                PREFIX + "key",
                List.of("ip", "principal", "global", "header:X-Api-Key", "cookie:session", "tenant", "tenant, ip"),
                List.of(
                        "IP",
                        "prinicpal",
                        "header",
                        "header:",
                        "header:a b",
                        "cookie:a=b",
                        "none",
                        "ip, ip",
                        "ip, global"));
    }

    private void penalty() {
        if (!chance(15)) {
            return;
        }
        Map<String, String> parts = new LinkedHashMap<>(
                Map.of("after", pick("20", "20 denials"), "within", "1m", "limits", "1/1000d", "for", "10m"));
        if (chance(30)) {
            String part = pick("after", "within", "limits", "for");
            parts.put(part, pick("", "0", "often", "-1"));
            broken.add(PREFIX + "penalty." + part);
        }
        parts.forEach((part, value) -> properties.put(PREFIX + "penalty." + part, value));
        if ("global".equals(properties.get(PREFIX + "key"))) {
            broken.add(PREFIX + "penalty"); // of everybody
        }
    }

    /** What keeps a right policy from denying. */
    private void exemptions() {
        if (chance(20)) {
            String mode = pick("enforce", "ENFORCE", "shadow", "off", "false");
            properties.put(PREFIX + "mode", mode);
            open |= !mode.equalsIgnoreCase("enforce");
        } else if (chance(5)) {
            wrong(PREFIX + "mode", pick("on", "dry-run", "true"));
        }
        if (chance(20)) {
            String skip = pick("192.0.2.0/24", "::1", "nobody", "127.0.0.1", "10.0.0.0/8, 127.0.0.0/8");
            properties.put(PREFIX + "skip", skip);
            open |= skip.contains("127.");
        } else if (chance(5)) {
            wrong(PREFIX + "skip", pick("10.0.0.0/33", "10.0.0", "somebody", "localhost", "::/129"));
        }
    }

    private void around() {
        maybe("ratelimit.enabled", List.of("true", "on"), List.of("perhaps"));
        maybe("ratelimit.headers", List.of("ietf", "x-ratelimit", "none"), List.of("draft", "ietf, none"));
        maybe("ratelimit.key-secret", List.of("0123456789abcdef"), List.of("", "0123456789abcde"));
        maybe("ratelimit.local.maximum-keys", List.of("1", "7", "100000"), List.of("0", "-1", "many", "1e3", ""));
        maybe(
                "ratelimit.local.synchronization",
                List.of("cas", "LOCK", "stamped", "striped"),
                List.of("thread_local", "compare-and-set"));
        maybe("ratelimit.backend", List.of("local", "LOCAL"), List.of("rediss", "memory", "on"));
        maybe("ratelimit.redis.timeout", List.of("50ms", "10s", "1"), List.of("0", "-1ms", "11s", "soon"));
        maybe("ratelimit.redis.instances", List.of("1", "12"), List.of("0", "-3", "10001", "three"));
        maybe("ratelimit.redis.prefix", List.of("shop", "a:b"), List.of("", "{shop}", "caf\u00e9"));
        maybe(
                "ratelimit.client-address.trusted-proxies",
                List.of("10.0.0.0/8, ::1", "192.0.2.1"),
                List.of("10.0.0.0/33", "localhost", "*", "10.0.0.0/-1"));
        maybe("ratelimit.client-address.header", List.of("X-Forwarded-For", "Forwarded"), List.of("X-Real-IP"));
        maybe("ratelimit.client-address.ipv6-prefix", List.of("32", "64"), List.of("31", "65", "/56", ""));
        maybe("ratelimit.filter.order-before-security", List.of("-200"), List.of("first", "3000000000"));
    }

    private void maybe(String property, List<String> right, List<String> wrong) {
        if (chance(30)) {
            properties.put(property, right.get(random.nextInt(right.size())));
        } else if (chance(7)) {
            wrong(property, wrong.get(random.nextInt(wrong.size())));
        }
    }

    private void wrong(String property, String value) {
        properties.put(property, value);
        broken.add(property);
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    private String pick(String... texts) {
        return texts[random.nextInt(texts.length)];
    }

    @Override
    public String toString() {
        return properties + ", broken: " + broken;
    }
}
