package dev.ratelimit;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.LongGen;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jetbrains.lincheck.datastructures.verifier.EpsilonVerifier;
import org.junit.jupiter.api.Test;

/** A striped bucket may deny what comes back; so it is not asked for an order of the calls, but for every token. */
class StripedBucketLincheckTest {

    @Test
    void neitherLosesNorMintsATokenHoweverItsThreadsAreInterleaved() {
        Interleavings.check(
                Interleavings.modelled(Decision.class, Gcra.class, Limit.class, Terms.class)
                        // A look at the cells is a copy, which nobody else has.
                        .addGuarantee(ManagedStrategyGuaranteeKt.forClasses("dev.ratelimit.StripedBucket$View")
                                .methods("tokens", "waitNanos", "resetAfterNanos")
                                .ignore())
                        .actorsAfter(0)
                        .verifier(EpsilonVerifier.class),
                Calls.class);
    }

    @Test
    void neitherLosesNorMintsATokenOnRealThreads() {
        Interleavings.check(Interleavings.onRealThreads().actorsAfter(0).verifier(EpsilonVerifier.class), Calls.class);
    }

    @Param(name = "tokens", gen = LongGen.class, conf = "1:3")
    public static final class Calls {
        private static final long CAPACITY = 2_048;

        private final TokenBucket bucket;
        private final AtomicLong consumed = new AtomicLong();

        public Calls() {
            Terms terms = new Terms(List.of(Limit.of(CAPACITY, Duration.ofNanos(CAPACITY))), () -> 0);
            bucket = StripedBucket.of(terms, terms.stateOf(CAPACITY), /* cells= */ 2);
        }

        @Operation
        public void tryConsume(@Param(name = "tokens") long tokens) {
            if (bucket.tryConsume(tokens * 600).allowed()) {
                consumed.addAndGet(tokens * 600);
            }
        }

        @Operation
        public void consumeAndGiveBack(@Param(name = "tokens") long tokens) {
            if (bucket.tryConsume(tokens * 600).allowed()) {
                bucket.refund(tokens * 600);
            }
        }

        @Validate
        public void accountsForEveryToken() {
            long held = bucket.peek(Long.MAX_VALUE).remaining();
            if (held + consumed.get() != CAPACITY) {
                throw new AssertionError(held + " tokens held and " + consumed + " consumed, of " + CAPACITY);
            }
        }
    }
}
