package io.callbridge.crm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SlidingLimitTest {

    @Test
    void refusedOnesDoNotCountAgainstTheNext() {
        SlidingLimit limit = new SlidingLimit(Duration.ofNanos(100), 2);
        assertEquals(List.of(true, true, false, false, true, true, false),
                LongStream.of(0, 50, 60, 99, 100, 150, 199).mapToObj(limit::take).toList());
        assertEquals(3, limit.refused());
        assertEquals(0, limit.left(199));
        assertEquals(1, limit.left(200));
    }

    @Test
    void theFullestWindowIsWhatCame() {
        SlidingLimit limit = new SlidingLimit(Duration.ofNanos(100), 1);
        LongStream.of(0, 90, 99, 100, 189, 500).forEach(limit::take);
        assertEquals(4, limit.fullest());
        limit.most(5);
        assertEquals(true, limit.take(501));
    }
}
