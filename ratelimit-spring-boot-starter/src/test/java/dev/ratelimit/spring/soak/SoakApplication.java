package dev.ratelimit.spring.soak;

import dev.ratelimit.spring.PlanResolver;
import dev.ratelimit.spring.RateLimited;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.stereotype.Service;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;

/** What is put under load: a path and a policy for each way to be limited. It is closed by a byte on its input, and ends at the next. */
@SpringBootApplication
class SoakApplication {
    static final String CLIENT = "X-Client";
    static final String NEVER_FULL = "shadow";
    static final String CLOSED = "closed, and still here";

    /** How many keys a policy tracks; so few that a flood fills it at once, and has it evict from then on. */
    static final int MAXIMUM_KEYS = 500;

    /** Under it no bucket is full again while the soak runs, and so none is forgotten but for want of room. */
    private static final String NEVER_FULL_AGAIN = "20/10d";

    public static void main(String[] arguments) throws Exception {
        ConfigurableApplicationContext context = new SpringApplication(SoakApplication.class).run(arguments);
        System.in.read(); // which waits for the word
        context.close();
        System.out.println(CLOSED);
        System.in.read();
    }

    /** What it is run with, beside the port of Redis. */
    static String[] properties(int redisPort) {
        return new String[] {
            "server.port=0",
            "server.tomcat.max-keep-alive-requests=-1",
            // all there from the start, so that they can be counted
            "server.tomcat.threads.max=24",
            "server.tomcat.threads.min-spare=24",
            "management.endpoints.web.exposure.include=ratelimit,metrics,health",
            // which tells, with its trace, of the first request that is no HTTP
            "logging.level.org.apache.coyote.http11.Http11Processor=warn",
            "spring.data.redis.port=" + redisPort,
            "ratelimit.key-secret=a-secret-of-the-soak",
            "ratelimit.client-address.trusted-proxies=127.0.0.1",
            "ratelimit.local.maximum-keys=" + MAXIMUM_KEYS,
            policy("local", "limits=" + Account.LIMIT),
            policy("local", "key=header:" + CLIENT),
            policy("local", "paths=/local/**"),
            policy(NEVER_FULL, "limits=" + NEVER_FULL_AGAIN),
            policy(NEVER_FULL, "key=header:" + CLIENT),
            policy(NEVER_FULL, "paths=/local/**"),
            policy(NEVER_FULL, "mode=shadow"),
            policy("address", "limits=" + Account.LIMIT),
            policy("address", "key=ip"),
            policy("address", "paths=/address"),
            policy("login", "limits=" + Account.LIMIT),
            policy("login", "key=header:" + CLIENT),
            policy("login", "paths=/login/**"),
            policy("login", "charge-on=4xx"),
            policy("plans", "plans.free=" + NEVER_FULL_AGAIN),
            policy("plans", "plans.paid=" + Account.LIMIT),
            policy("plans", "key=header:" + CLIENT),
            policy("plans", "paths=/plans"),
            policy("changing", "limits=" + Account.LIMIT),
            policy("changing", "key=header:" + CLIENT),
            policy("changing", "paths=/changing"),
            policy("redis", "limits=" + Account.LIMIT),
            policy("redis", "key=header:" + CLIENT),
            policy("redis", "paths=/redis"),
            policy("redis", "backend=redis"),
            policy("annotated", "limits=" + Account.LIMIT),
            policy("waiting", "limits=" + Account.LIMIT),
            policy("waiting", "backend=redis"),
        };
    }

    private static String policy(String name, String property) {
        return "ratelimit.policies." + name + '.' + property;
    }

    @Bean
    PlanResolver plan() {
        return request -> request.getHeader("X-Plan");
    }

    @Service
    static class Reports {

        @RateLimited(policy = "annotated", key = "#client")
        public String annotated(String client) {
            return client.isEmpty() ? "nobody's" : "somebody's";
        }

        @RateLimited(policy = "waiting", key = "#client", maxWait = "250ms")
        public String waiting(String client) {
            return client.isEmpty() ? "nobody's" : "somebody's";
        }
    }

    @RestController
    static class Endpoints {
        private final Reports reports;

        Endpoints(Reports reports) {
            this.reports = reports;
        }

        @GetMapping({"/local", "/address", "/plans", "/changing", "/redis", "/login/right"})
        String ok() {
            return "ok";
        }

        @GetMapping("/login/wrong")
        String wrong(HttpServletResponse response) {
            response.setStatus(HttpServletResponse.SC_UNAUTHORIZED);
            return "wrong";
        }

        @GetMapping("/annotated")
        String annotated(@RequestHeader(name = CLIENT, defaultValue = "") String client) {
            return reports.annotated(client);
        }

        @GetMapping("/waiting")
        String waiting(@RequestHeader(name = CLIENT, defaultValue = "") String client) {
            return reports.waiting(client);
        }
    }
}
