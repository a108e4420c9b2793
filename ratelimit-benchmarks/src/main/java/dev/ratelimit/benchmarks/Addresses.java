package dev.ratelimit.benchmarks;

import java.util.Random;

/** Clients' keys: IPv4 addresses in text. */
final class Addresses {
    private static final int GOLDEN_RATIO = 0x9E3779B1; // odd, so that no two numbers share an address

    private Addresses() {}

    /** Returns the address of client number {@code i}, unlike that of any other number. */
    static String address(int i) {
        int bits = i * GOLDEN_RATIO;
        return (bits >>> 24) + "." + (bits >>> 16 & 0xff) + "." + (bits >>> 8 & 0xff) + "." + (bits & 0xff);
    }

    /** Returns all addresses up to {@code count}. */
    static String[] addresses(int count) {
        String[] addresses = new String[count];
        for (int i = 0; i < count; i++) {
            addresses[i] = address(i);
        }
        return addresses;
    }

    /** Draws {@code count} requests by Zipf's law: client number i is i times rarer than the first. */
    static String[] requests(String[] clients, int count) {
        Random random = new Random(20261123);
        String[] requests = new String[count];
        for (int i = 0; i < count; i++) {
            requests[i] = clients[(int) Math.pow(clients.length, random.nextDouble()) - 1];
        }
        return requests;
    }
}
