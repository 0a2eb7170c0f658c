package io.callbridge.deliver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What would take an hour to see from outside; all else about a CRM that is down is seen in {@code CrmFailureIT}. */
class CrmGateTest {

    private static final long NOW = 1_000_000;
    private static final long HOUR = 3_600_000;

    @Test
    void aCrmThatIsDownIsAskedOnceWhenSomebodyWantsItEvenIfItAskedForTime() {
        CrmGate gate = new CrmGate(10_000, HOUR);
        for (int i = 0; i < 3; i++) {
            gate.failed(i == 0, NOW, HOUR, null);
        }
        assertTrue(gate.down());
        assertEquals(0, gate.permits(false, 4, NOW + 60_000));
        assertEquals(0, gate.permits(true, 4, NOW + 60_000));

        gate.askNow();
        assertEquals(1, gate.permits(false, 4, NOW + 60_000));
        assertEquals(1, gate.permits(true, 4, NOW + 60_000));

        assertTrue(gate.probe());
        assertEquals(0, gate.permits(false, 4, NOW + 60_000), "one at a time");
        gate.askNow();
        gate.failed(false, NOW + 60_000, HOUR, null);
        gate.probed();
        assertEquals(1, gate.permits(false, 4, NOW + 60_001), "asked for while it was asked");

        gate.probe();
        gate.failed(false, NOW + 60_001, HOUR, null);
        gate.probed();
        assertEquals(0, gate.permits(false, 4, NOW + 60_002), "and not again and again");
    }

    /** A token that is wrong is wrong for everything: three of an hour's calls need not show it. */
    @Test
    void aRefusalOfCallbridgeItselfIsTheEndOfRequestsAtOnceAndIsSaidOnce() {
        CrmGate gate = new CrmGate(10_000, HOUR);
        assertTrue(gate.failed(false, NOW, 0, "answer 401"));
        assertTrue(gate.down());
        assertEquals("answer 401", gate.refusal());
        assertEquals(NOW, gate.downSinceMs());
        assertEquals(0, gate.permits(false, 4, NOW + 1));
        assertFalse(gate.failed(true, NOW + 60_000, 0, "answer 401"));
        assertFalse(gate.failed(true, NOW + 60_001, 0, null), "nor when it is away for a moment");
        assertEquals("answer 401", gate.refusal());

        assertFalse(gate.answered(true), "a card may go without a look-up");
        assertEquals("answer 401", gate.refusal());
        assertTrue(gate.answered(false));
        assertNull(gate.refusal());
        assertEquals(4, gate.permits(false, 4, NOW + 60_002));
        assertTrue(gate.failed(true, NOW + 60_003, 0, "answer 403"));
        assertTrue(gate.answered(true), "a refusal that only cards got");
    }
}
