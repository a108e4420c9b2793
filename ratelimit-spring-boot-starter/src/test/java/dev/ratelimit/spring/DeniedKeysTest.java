package dev.ratelimit.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class DeniedKeysTest {
    private final DeniedKeys keys = new DeniedKeys();

    @Test
    void countsExactlyWhileThereIsRoom() {
        for (int i = 0; i < 64; i++) {
            for (int times = 0; times <= i; times++) {
                keys.add("key-" + i);
            }
        }

        assertThat(keys.top()).hasSize(64).startsWith(new DeniedKey("key-63", 64), new DeniedKey("key-62", 63));
    }

    @Test
    void findsWhoIsDeniedMostAmongAMillionOthers() {
        Random random = new Random(7);
        Map<String, Long> known = new HashMap<>();
        for (int i = 0; i < 1_000_000; i++) {
            String key = i % 20 == 0 ? "attacker" : i % 21 == 0 ? "second" : "other-" + random.nextInt();
            known.merge(key, 1L, Long::sum);
            keys.add(key);
        }

        List<DeniedKey> top = keys.top();
        assertThat(top).hasSize(64);
        assertThat(top.subList(0, 2)).extracting(DeniedKey::key).containsExactly("attacker", "second");
        assertThat(top.get(0).denials()).isGreaterThan(49_000);
        assertThat(top).allSatisfy(each -> assertThat(each.denials()).isBetween(1L, known.get(each.key())));
    }

    @Test
    void keepsNoLongKey() {
        String giant = "a".repeat(1 << 20);
        keys.add(giant);
        keys.add(giant);
        keys.add(giant + "b");

        assertThat(keys.top()).extracting(DeniedKey::denials).containsExactly(2L, 1L);
        assertThat(keys.top()).allSatisfy(each -> assertThat(each.key()).hasSizeLessThanOrEqualTo(128));
    }

    @Test
    void tellsKeysOfOneHashApart() {
        keys.add("Aa");
        keys.add("BB");
        keys.add("BB");

        assertThat(keys.top()).containsExactly(new DeniedKey("BB", 2), new DeniedKey("Aa", 1));
    }

    @Test
    void countsNoMoreThanThereWasHoweverManyThreadsDeny() throws Exception {
        int each = 50_000;
        CountDownLatch start = new CountDownLatch(1);
        List<Thread> threads = List.of(thread(start, each), thread(start, each), thread(start, each));
        threads.forEach(Thread::start);
        start.countDown();
        for (Thread thread : threads) {
            keys.top();
            thread.join();
        }

        assertThat(keys.top()).singleElement().satisfies(top -> {
            assertThat(top.key()).isEqualTo("same");
            assertThat(top.denials()).isBetween(1L, 3L * each);
        });
    }

    private Thread thread(CountDownLatch start, int times) {
        return new Thread(() -> {
            try {
                start.await();
            } catch (InterruptedException e) {
                return;
            }
            for (int i = 0; i < times; i++) {
                keys.add("same");
            }
        });
    }
}
