package dev.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DebtLedgerTest {
    private static final long NOW = ThreadLocalRandom.current().nextLong();

    /** Or somebody could work out at home which keys meet. */
    @Test
    void hasOtherKeysMeetThanAnotherLedger() {
        List<Integer> met = keysThatMeetDebts();

        assertThat(met).isNotEmpty();
        assertThat(keysThatMeetDebts()).isNotEqualTo(met);
    }

    /** Puts the debts of 400 keys into a new ledger of 4,096 cells, and returns who of 10,000 others is held to one. */
    private static List<Integer> keysThatMeetDebts() {
        DebtLedger ledger = new DebtLedger(1, 1, NOW);
        for (int i = 0; i < 400; i++) {
            ledger.add("debtor" + i, new long[] {1}, NOW);
        }
        return IntStream.range(0, 10_000)
                .filter(i -> ledger.nanos("key" + i, NOW)[0] > 0)
                .boxed()
                .toList();
    }
}
