package dev.ratelimit.sample;

import dev.ratelimit.Decision;
import dev.ratelimit.Limit;
import dev.ratelimit.RateLimiter;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.Keys;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.springframework.web.bind.annotation.*;

@RestController
@RequestMapping("/actuator/ratelimit")
class ActuatorStub {
    private final ConfiguredPolicies policies;
    private final RateLimitCounts counts;
    private final RateLimiter limiter;

    ActuatorStub(ConfiguredPolicies policies, RateLimitCounts counts, RateLimiter limiter) {
        this.policies = policies;
        this.counts = counts;
        this.limiter = limiter;
    }

    @GetMapping
    Map<String, Object> all() {
        return Map.of("policies", policies.all().stream().map(this::view).toList());
    }

    private String key(String name) {
        return switch (name) {
            case "api", "visitor", "trial" -> "ip";
            case "everyone" -> "global";
            default -> "code";
        };
    }

    private Map<String, Object> view(ConfiguredPolicy each) {
        Map<String, Object> view = new LinkedHashMap<>();
        String name = each.policy().name();
        view.put("policy", name);
        view.put("paths", key(name).equals("code") ? List.of() : List.of("/x"));
        view.put("mode", each.mode().name().toLowerCase(Locale.ROOT));
        view.put("limits", each.policy().limits().stream().map(Limit::toString).toList());
        view.put("key", key(name));
        Map<String, Object> c = new LinkedHashMap<>();
        for (Outcome o : Outcome.values()) {
            c.put(o.name().toLowerCase(Locale.ROOT).replace('_', '-'), counts.count(name, o));
        }
        view.put("counts", c);
        return view;
    }

    @GetMapping("/policies/{name}")
    Map<String, Object> one(@PathVariable String name, @RequestParam String key) {
        String k = switch (key(name)) {
            case "ip" -> Keys.of("ip", key);
            case "global" -> Keys.GLOBAL;
            default -> key;
        };
        Decision d = limiter.peek(policies.get(name), k, 1);
        Map<String, Object> v = view(policies.find(name));
        v.put("key", Map.of("remaining", d.allowed() ? d.remaining() + 1 : d.remaining()));
        return v;
    }

    @GetMapping("/explain")
    Map<String, Object> explain(@RequestParam String path) {
        boolean ping = path.equals("/playground/ping");
        return Map.of(
                "client",
                "127.0.0.1",
                "allowed",
                true,
                "policies",
                List.of(
                        ping
                                ? Map.of(
                                        "policy",
                                        "visitor",
                                        "mode",
                                        "enforce",
                                        "asked",
                                        true,
                                        "allowed",
                                        true,
                                        "remaining",
                                        10,
                                        "tokens",
                                        1,
                                        "keyFrom",
                                        List.of("ip"))
                                : Map.of(
                                        "policy",
                                        "visitor",
                                        "mode",
                                        "enforce",
                                        "asked",
                                        false,
                                        "reason",
                                        "the path matches none of [/playground/ping]"),
                        Map.of(
                                "policy",
                                "api",
                                "mode",
                                "enforce",
                                "asked",
                                false,
                                "reason",
                                "the path matches none of [/api/**]")));
    }
}
