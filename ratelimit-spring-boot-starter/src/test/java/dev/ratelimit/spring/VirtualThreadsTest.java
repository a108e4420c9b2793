package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VirtualThreadsTest {
    private static final int CALLS = 200;

    static class Line {
        @RateLimited(limit = "1/1ms", maxWait = "1m")
        public void call() {}
    }

    @Test
    void areNotPinnedByCallsThatWait(@TempDir Path directory) throws Exception {
        assumeTrue(Runtime.version().feature() >= 21, "virtual threads came with Java 21");
        Path file = directory.resolve("pinned.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("jdk.VirtualThreadPinned").withoutThreshold();
            recording.enable("jdk.VirtualThreadEnd");
            recording.start();
            LimitedApp.withoutClock().withBean(Line.class).run(context -> {
                Line line = context.getBean(Line.class);
                ExecutorService threads = (ExecutorService) Executors.class
                        .getMethod("newVirtualThreadPerTaskExecutor")
                        .invoke(null);
                List<? extends Future<?>> calls = IntStream.range(0, CALLS)
                        .mapToObj(i -> threads.submit(line::call))
                        .toList();
                for (Future<?> call : calls) {
                    call.get();
                }
                threads.shutdown();
            });
            recording.stop();
            recording.dump(file);
        }
        List<String> events = RecordingFile.readAllEvents(file).stream()
                .map(event -> event.getEventType().getName())
                .toList();
        assertThat(events).filteredOn("jdk.VirtualThreadEnd"::equals).hasSizeGreaterThan(CALLS / 2);
        assertThat(events).filteredOn("jdk.VirtualThreadPinned"::equals).isEmpty();
    }
}
