package io.callbridge.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.callbridge.store.OutboxControl.Backlog;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A scrape and everybody who looks ask for the same numbers: a large backlog, or a store that is away, must not be asked for each. */
class StoreCountsTest {

    private long seconds;
    private int asked;
    private boolean away;
    private long took = 2;
    private final StoreCounts counts = new StoreCounts(new OutboxControl(null) {

        @Override
        public Map<String, Backlog> backlogs() {
            asked++;
            seconds += took;
            if (away) {
                throw new IllegalStateException("away");
            }
            return Map.of("rest", new Backlog(asked, 0, 0));
        }

        @Override
        public Map<String, Long> count(String state) {
            return Map.of("rest", 7L);
        }
    }, new CallIndex(null) {

        @Override
        public Map<String, Long> openLegs() {
            return Map.of();
        }
    }, () -> TimeUnit.SECONDS.toNanos(seconds));

    @Test
    void theLongerItTakesTheLongerItIsKept() {
        assertEquals(1, counts.now().backlog("rest").waiting());
        assertEquals(7, counts.now().dead("rest"));
        assertEquals(0, counts.now().legs("main"));
        seconds += 39;
        assertEquals(1, counts.now().backlog("rest").waiting());
        took = 10;
        seconds += 1;
        assertEquals(2, counts.now().backlog("rest").waiting());
        seconds += 59;
        assertEquals(2, counts.now().backlog("rest").waiting());
        seconds += 1;
        assertEquals(3, counts.now().backlog("rest").waiting(), "a minute at the most");
    }

    @Test
    void aStoreThatIsAwayIsNotAskedByEveryGauge() {
        away = true;
        assertThrows(StoreException.class, counts::now);
        assertThrows(StoreException.class, counts::now);
        assertEquals(1, asked);
        away = false;
        seconds += 4;
        assertThrows(StoreException.class, counts::now);
        seconds += 1;
        assertEquals(2, counts.now().backlog("rest").waiting());
    }
}
