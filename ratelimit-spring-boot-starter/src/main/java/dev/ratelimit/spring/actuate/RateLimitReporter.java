package dev.ratelimit.spring.actuate;

import dev.ratelimit.NanoClock;
import dev.ratelimit.spring.BackendDegradedEvent;
import dev.ratelimit.spring.BackendRecoveredEvent;
import dev.ratelimit.spring.ConfiguredPolicies;
import dev.ratelimit.spring.ConfiguredPolicy;
import dev.ratelimit.spring.Outcome;
import dev.ratelimit.spring.RateLimitCounts;
import dev.ratelimit.spring.RateLimitDeniedEvent;
import dev.ratelimit.spring.redis.RedisStats;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.SmartLifecycle;

/**
 * Reports what has become of the limits: by events, a second late at most, and by one line in the log for all denials of a
 * policy within a minute.
 *
 * <p>It looks at counts that are kept anyway, once a second, on a thread of its own. So a denial costs nothing more for being
 * reported, a million of them are reported as one, and a listener that is slow or throws delays or ends no request, but the
 * next report only.
 *
 * @hidden
 */
public final class RateLimitReporter implements SmartLifecycle {
    private static final Log LOG = LogFactory.getLog(RateLimitReporter.class);
    private static final long MINUTE_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final int PHASE =
            DEFAULT_PHASE - 4_096; // stops after the web server, whose last requests count, too
    private static final long STOP_PATIENCE_SECONDS = 5;

    private final List<Denials> denials = new ArrayList<>(); // never changed but for the numbers
    private final RateLimitCounts counts;
    private final @Nullable RedisStats redis;
    private final ApplicationEventPublisher events;
    private final NanoClock clock;
    private volatile @Nullable ScheduledExecutorService thread;
    private boolean degraded; // this and what follows is for the thread
    private boolean listenerFailed;

    /** Creates a reporter that has yet to be started; {@code redis} tells how that answers, if it is to be asked at all. */
    public RateLimitReporter(
            ConfiguredPolicies policies,
            RateLimitCounts counts,
            @Nullable RedisStats redis,
            ApplicationEventPublisher events,
            NanoClock clock) {
        for (ConfiguredPolicy each : policies.all()) {
            String name = each.policy().name();
            denials.add(new Denials(name, counts.count(name, Outcome.DENIED), clock.nanos() - MINUTE_NANOS));
        }
        this.counts = counts;
        this.redis = redis;
        this.events = events;
        this.clock = clock;
    }

    /** What has been told of the denials of one policy. */
    private static final class Denials {
        private final String policy;
        private long published; // of those there are
        private long logged;
        private long loggedAt; // a reading of the clock

        Denials(String policy, long count, long loggedAt) {
            this.policy = policy;
            this.published = count;
            this.logged = count;
            this.loggedAt = loggedAt;
        }
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // a report says itself what fails
    public void start() {
        if (denials.isEmpty() && redis == null) {
            return;
        }
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread reporting = new Thread(task, "ratelimit-reporter");
            reporting.setDaemon(true);
            return reporting;
        });
        started.scheduleWithFixedDelay(() -> report(/* last= */ false), 1, 1, TimeUnit.SECONDS);
        thread = started;
    }

    /** Reports for the last time, after the report that may be under way. */
    @Override
    public void stop() {
        ScheduledExecutorService running = thread;
        if (running == null) {
            return;
        }
        thread = null;
        running.shutdown();
        try {
            if (running.awaitTermination(STOP_PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                report(/* last= */ true);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        running.shutdownNow();
    }

    @Override
    public int getPhase() {
        return PHASE;
    }

    @Override
    public boolean isRunning() {
        return thread != null;
    }

    /** Reports what has changed since the last time. */
    void report() {
        report(/* last= */ false);
    }

    private void report(boolean last) {
        for (Denials each : denials) {
            long count = counts.count(each.policy, Outcome.DENIED);
            if (count != each.published) {
                publish(new RateLimitDeniedEvent(each.policy, count - each.published));
                each.published = count;
            }
            log(each, count, last);
        }
        if (redis != null && redis.isFailing() != degraded) {
            degraded = !degraded;
            publish(degraded ? new BackendDegradedEvent("redis") : new BackendRecoveredEvent("redis"));
        }
    }

    private void log(Denials of, long count, boolean last) {
        long now = clock.nanos();
        if (count != of.logged && (last || now - of.loggedAt >= MINUTE_NANOS)) {
            LOG.info("Policy " + of.policy + " denied " + (count - of.logged) + " more, " + count + " in all");
            of.logged = count;
            of.loggedAt = now;
        }
    }

    private void publish(Object event) {
        try {
            events.publishEvent(event);
        } catch (RuntimeException | Error e) { // or it would be the last report
            if (!listenerFailed) {
                listenerFailed = true;
                LOG.warn("A listener to " + event.getClass().getSimpleName() + " failed; this is told only once", e);
            }
        }
    }
}
