package dev.ratelimit.spring;

import dev.ratelimit.KeyDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Which keys one policy denies most, since the start. Thread-safe.
 *
 * <p>It is the space-saving sketch of Metwally, Agrawal and El Abbadi ("Efficient computation of frequent and top-k elements
 * in data streams", 2005). There is room for 64 keys. One that is new takes the place of the key with the fewest denials, and
 * goes on from its count, of which none may have been its own: that part is kept apart as its error. So a key with more than
 * one in 64 of all denials is there for certain, however many others there are.
 *
 * <p>Nobody waits to be counted: a denial that comes while another thread notes one is left out. In an attack by many threads
 * that makes it a sample, in which each key is as often as it is in the attack.
 */
final class DeniedKeys {
    private static final int ROOM = 64;

    private final AtomicBoolean busy = new AtomicBoolean();
    private final @Nullable String[] keys = new @Nullable String[ROOM]; // guarded by busy, as all that follow
    private final int[] hashes = new int[ROOM]; // told apart by them, most keys need not be looked at
    private final long[] counts = new long[ROOM];
    private final long[] errors = new long[ROOM];
    private int size;

    /** Notes a denial, unless another thread notes one just now. */
    void add(String key) {
        if (busy.get() || !busy.compareAndSet(false, true)) {
            return;
        }
        try {
            counts[placeOf(KeyDigest.of(key))]++;
        } finally {
            busy.set(false);
        }
    }

    private int placeOf(String key) {
        int hash = key.hashCode();
        int least = 0;
        for (int i = 0; i < size; i++) {
            if (hashes[i] == hash && key.equals(keys[i])) {
                return i;
            }
            least = counts[i] < counts[least] ? i : least;
        }
        int place = size < ROOM ? size++ : least;
        keys[place] = key;
        hashes[place] = hash;
        errors[place] = counts[place];
        return place;
    }

    /** Returns the keys that are known to have been denied, the most often denied first. */
    List<DeniedKey> top() {
        List<DeniedKey> top = new ArrayList<>(ROOM);
        while (!busy.compareAndSet(false, true)) {
            Thread.onSpinWait(); // for as long as it takes to note one denial
        }
        try {
            for (int i = 0; i < size; i++) {
                String key = keys[i];
                if (key != null) {
                    top.add(new DeniedKey(key, counts[i] - errors[i]));
                }
            }
        } finally {
            busy.set(false);
        }
        top.sort(Comparator.comparingLong(DeniedKey::denials).reversed());
        return top;
    }
}
