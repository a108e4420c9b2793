package dev.ratelimit.spring.soak;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;

/**
 * What one key was granted under one policy, held against its limit. One connection alone asks for that key, over and over.
 *
 * <p>It can't fail for want of speed: a request is decided on at some time between the instants at which it was sent and
 * answered, by the clock that the server has, too. What flows in while the bucket is full is lost to the client; that can be as
 * much as fits between two such instants beyond what the last answer said is left.
 */
final class Account {
    static final int CAPACITY = 20;
    static final int PER_SECOND = 10;
    static final String LIMIT = PER_SECOND + "/1s burst " + CAPACITY;

    /** One for what remains beyond whole tokens, and one that may come back after the answer. */
    private static final int UNTOLD = 2;

    private final String policy;
    private final double slowest; // tokens a second
    private long begunAt;
    private long firstAnsweredAt;
    private long sentAt;
    private long answeredAt;
    private long asked;
    private long admitted;
    private long left;
    private double lost;

    /** Opens an account under a policy whose rate may be changed down to {@code slowest} tokens a second. */
    Account(String policy, double slowest) {
        this.policy = policy;
        this.slowest = slowest;
    }

    String policy() {
        return policy;
    }

    /** Notes an answer, to a request that was {@code charged} if it was one token. */
    synchronized void note(long sent, long answered, boolean charged, long remaining) {
        if (asked++ == 0) {
            begunAt = sent;
            firstAnsweredAt = answered;
        } else {
            lost += Math.max(0, left + UNTOLD + PER_SECOND * seconds(sentAt, answered) - CAPACITY);
        }
        admitted += charged ? 1 : 0;
        left = remaining;
        sentAt = sent;
        answeredAt = answered;
    }

    /**
     * Holds what was granted against the limit.
     *
     * @param more what it may have been granted more, as Redis lost its bucket
     * @param less what it may have been granted less, for the same reason
     */
    synchronized void check(double more, double less) {
        double most = CAPACITY + PER_SECOND * seconds(begunAt, answeredAt) + more;
        double least = slowest * seconds(firstAnsweredAt, sentAt) - CAPACITY - lost - less;
        System.out.printf(
                "%-10s asked %8d, admitted %6d of %8.1f to %8.1f%n", policy, asked, admitted, Math.max(0, least), most);
        assertThat((double) admitted).as(policy).isBetween(least, most);
    }

    private static double seconds(long from, long to) {
        return (to - from) / (double) TimeUnit.SECONDS.toNanos(1);
    }
}
