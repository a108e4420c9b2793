package dev.ratelimit.spring.soak;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ratelimit.spring.redis.RedisProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * An application with every kind of policy under load for half an hour, or for {@code -Dsoak.minutes}, while its Redis is killed
 * and comes back and limits change. Its name keeps it out of {@code mvn verify}; the profile soak runs it.
 *
 * <p>The heap is compared between two fifths of the time, by medians. In the first fifth it grows, as it should: a flood fills
 * the policies with as many keys as they may track, and code is loaded. After that nothing is left to grow, so whatever does
 * is a leak.
 */
class Soak {
    private static final double MINUTES = Double.parseDouble(System.getProperty("soak.minutes", "30"));
    private static final long NANOS = (long) (MINUTES * TimeUnit.MINUTES.toNanos(1));

    /** In each the heap is measured and a limit changed, and in every sixth Redis is away. */
    private static final int STEPS = 60;

    private static final int STEPS_BETWEEN_OUTAGES = 6;

    private static final String SLOW = Account.PER_SECOND / 2 + "/1s burst " + Account.CAPACITY;

    private static final double HEAP_GROWTH = 1.03;

    /** Files that jcmd or the system's own work opens. */
    private static final int OTHER_FILES = 4;

    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final Pattern COMPLAINT = Pattern.compile("^\\S+ +(WARN|ERROR) .*$", Pattern.MULTILINE);

    /** Who may complain of Redis, and how often in an outage. */
    private static final Pattern EXPECTED = Pattern.compile("RedisRateLimiter|ConnectionWatchdog");

    private static final int COMPLAINTS_IN_AN_OUTAGE = 10;

    private final List<Account> accounts = new ArrayList<>();
    private final List<Long> heap = new ArrayList<>();

    @Test
    void holdsForAsLongAsItRuns() throws Exception {
        for (String policy : List.of("local", "address", "login", "plans", "annotated", "redis", "waiting")) {
            accounts.add(new Account(policy, Account.PER_SECOND));
        }
        accounts.add(new Account("changing", Account.PER_SECOND / 2.0));
        try (RedisProcess redis = RedisProcess.start();
                SoakProcess application = new SoakProcess(redis.port())) {
            rehearse(application, new Outages(redis, application));
            Map<String, Integer> threads = application.threads();
            double files = application.metric("process.files.open");
            Outages outages = new Outages(redis, application);
            Crowd crowd = new Crowd(application, accounts);
            try (crowd) {
                crowd.start();
                load(application, crowd, outages);
            }
            assertThat(crowd.failures()).isEmpty();
            System.out.printf(
                    "%d requests, %d outages of %.0f s together%n",
                    crowd.requests(), outages.count(), outages.seconds());
            accounts.forEach(each -> each.check(outages.more(each.policy()), outages.less(each.policy())));
            checkHeap(application);
            checkLog(application, outages);
            checkLeft(application, threads, files);
        }
    }

    /** Sees to it that what is made once, when it is needed first, is there before it is counted. */
    private static void rehearse(SoakProcess application, Outages outages) throws Exception {
        Crowd few = new Crowd(application, List.of(new Account("local", 0), new Account("redis", 0)));
        try (few) {
            few.start();
            Awaitility.await().atMost(PATIENCE).until(() -> few.requests() > 500);
            outages.begin();
            Awaitility.await().atMost(PATIENCE).until(outages::isBreakerOpen);
            outages.end();
        }
        assertThat(few.failures()).isEmpty();
    }

    private void load(SoakProcess application, Crowd crowd, Outages outages) {
        System.out.println("minute   requests    denied  heap (kB)  threads  Redis");
        long start = System.nanoTime();
        for (int step = 0; step < STEPS; step++) {
            if (outages.isOn()) {
                outages.end();
            } else if (step % STEPS_BETWEEN_OUTAGES == STEPS_BETWEEN_OUTAGES - 2) {
                outages.begin();
            }
            application.change("changing", step % 2 == 0 ? SLOW : Account.LIMIT);
            heap.add(application.liveHeap());
            report(application, crowd, outages, start);
            if (step == STEPS / 5) {
                assertThat(application.metric("ratelimit.keys", "policy:" + SoakApplication.NEVER_FULL))
                        .as("keys after a fifth")
                        .isGreaterThan(0.9 * SoakApplication.MAXIMUM_KEYS);
            }
            long end = start + NANOS / STEPS * (step + 1);
            while (System.nanoTime() - end < 0 && crowd.failures().isEmpty()) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
            }
            assertThat(crowd.failures()).isEmpty();
        }
        outages.endAll();
    }

    /** A line for each minute, or for each step if those are longer. */
    private void report(SoakProcess application, Crowd crowd, Outages outages, long start) {
        int steps = (int) Math.max(1, Math.round(STEPS / MINUTES));
        if ((heap.size() - 1) % steps == 0) {
            System.out.printf(
                    "%6.1f %10d %9d %10d %8d  %s%n",
                    (System.nanoTime() - start) / (double) TimeUnit.MINUTES.toNanos(1),
                    crowd.requests(),
                    crowd.count(429),
                    heap.get(heap.size() - 1) / 1000,
                    application.threads().values().stream()
                            .mapToInt(Integer::intValue)
                            .sum(),
                    outages.isOn() ? "away" : "there");
        }
    }

    private void checkHeap(SoakProcess application) {
        long early = median(heap.subList(STEPS / 5, 2 * STEPS / 5));
        long late = median(heap.subList(4 * STEPS / 5, STEPS));
        System.out.printf("live heap: %d kB in the second fifth, %d kB in the last%n", early / 1000, late / 1000);
        assertThat((double) late)
                .as(() -> "live heap, of "
                        + application.histogram().lines().limit(40).toList())
                .isLessThan(HEAP_GROWTH * early);
    }

    private static long median(List<Long> samples) {
        return samples.stream().sorted().skip(samples.size() / 2).findFirst().orElseThrow();
    }

    private static void checkLog(SoakProcess application, Outages outages) {
        String log = application.log();
        List<String> complaints =
                COMPLAINT.matcher(log).results().map(each -> each.group()).toList();
        System.out.printf("log: %d lines, %d of them complaints%n", log.lines().count(), complaints.size());
        assertThat(complaints)
                .allMatch(each -> EXPECTED.matcher(each).find())
                .hasSizeLessThan(COMPLAINTS_IN_AN_OUTAGE * (outages.count() + 1));
        assertThat(log).doesNotContain("\tat ", "Exception in thread");
    }

    /** A pool of Lettuce's starts its threads when they are needed first, which may be in the last outage. */
    private static int poolSize(String thread) {
        return thread.startsWith("lettuce-eventExecutorLoop")
                ? Math.max(2, Runtime.getRuntime().availableProcessors())
                : 0;
    }

    /** Nothing is left but what was there before; and after the application is closed, nothing of it. */
    private static void checkLeft(SoakProcess application, Map<String, Integer> threads, double files)
            throws Exception {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(application.threads())
                    .containsOnlyKeys(threads.keySet())
                    .allSatisfy((name, count) -> assertThat(count)
                            .as(name)
                            .isLessThanOrEqualTo(Math.max(threads.getOrDefault(name, 0), poolSize(name))));
            assertThat(application.metric("process.files.open")).isLessThanOrEqualTo(files + OTHER_FILES);
        });
        application.closeApplication();
        Awaitility.await()
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(application.threads().keySet())
                        .noneMatch(name -> name.startsWith("ratelimit")
                                || name.startsWith("lettuce")
                                || name.startsWith("http-nio")));
        assertThat(application.end()).isZero();
    }
}
