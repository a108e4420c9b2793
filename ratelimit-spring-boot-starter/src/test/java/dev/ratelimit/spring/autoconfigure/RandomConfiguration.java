package dev.ratelimit.spring.autoconfigure;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** What somebody may write under {@code ratelimit}, right or wrong, and what it was meant to say. */
final class RandomConfiguration {
    /** The policy that is asked about; there may be more. */
    static final String POLICY = "api";

    private static final String PREFIX = "ratelimit.policies." + POLICY + '.';

    private final Random random;
    private final Map<String, Object> properties = new LinkedHashMap<>();
    private final List<String> broken = new ArrayList<>();
    private long capacity = Long.MAX_VALUE;
    private long tokens = 1;
    private boolean limited = true;
    private boolean paths;

    RandomConfiguration(long seed) {
        random = new Random(seed);
        limits();
        paths();
        tokens();
        maybe(
                PREFIX + "key",
                List.of("ip", "principal", "global", "header:X-Api-Key", "cookie:session", "tenant"),
                List.of("IP", "prinicpal", "header", "header:", "header:a b", "cookie:a=b", "none"));
        if (!limited && properties.keySet().stream().anyMatch(name -> name.startsWith(PREFIX))) {
            broken.add(PREFIX + "limits"); // is missing
        }
        maybe("ratelimit.local.maximum-keys", List.of("1", "7", "100000"), List.of("0", "-1", "many", "1e3", ""));
        maybe(
                "ratelimit.local.synchronization",
                List.of("cas", "LOCK", "stamped", "striped"),
                List.of("thread_local", "compare-and-set"));
        maybe("ratelimit.enabled", List.of("true", "on"), List.of("perhaps"));
        if (chance(10)) {
            wrong(
                    "ratelimit."
                            + pick("polices", "policies." + POLICY + ".limit", "policies.more.limitz", "local.size"),
                    "1");
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
        return capacity / tokens;
    }

    /** Whether the filter has something to do. */
    boolean filters() {
        return paths && limited;
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
        } else {
            List<String> texts = new ArrayList<>();
            for (int i = random.nextInt(3); i >= 0; i--) {
                texts.add(limit());
            }
            properties.put(PREFIX + "limits", String.join(pick(",", ", "), texts));
        }
    }

    private String limit() {
        long refill = 1 + random.nextInt(12);
        String limit = refill + "/" + pick("", "2", "30") + pick("s", "m", "h", "d");
        long most = refill;
        if (chance(30)) {
            most = 1 + random.nextInt(30);
            limit += " burst " + most;
        }
        capacity = Math.min(capacity, most);
        return limit;
    }

    private void limitInParts() {
        String limit = PREFIX + "limits[0].";
        long refill = 1 + random.nextInt(12);
        properties.put(limit + "refill-tokens", refill);
        properties.put(limit + "refill-period", pick("1m", "90s", "PT2H"));
        capacity = refill;
        if (chance(30)) {
            capacity = 1 + random.nextInt(30);
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
            wrong(PREFIX + "methods", "GET"); // of no paths
        }
    }

    private void tokens() {
        if (chance(20)) {
            tokens = 1 + random.nextInt(6);
            properties.put(PREFIX + "tokens", tokens);
            if (tokens > capacity) {
                broken.add(PREFIX + "tokens");
            }
        } else if (chance(10)) {
            wrong(PREFIX + "tokens", pick("0", "-1", "some", "1.5", "9223372036854775808", "31"));
        }
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
