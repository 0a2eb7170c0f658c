package io.callbridge;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.CallLoad;
import io.callbridge.support.CallLoad.Interruption;
import io.callbridge.support.FakeCrm;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Kills the application again and again at random moments while many phones ring, in one store that lives on. */
@ParameterizedClass(name = "{0}")
@EnumSource(StoreKind.class)
class CrashUnderLoadIT {

    private static final int KILLS = 10;
    private static final int LINES = 12;
    private static final int EVENTS_AT_MOST = 120;

    @Parameter
    private StoreKind store;

    @Test
    void nothingThatWasAcknowledgedIsLostAndNothingIsWrittenTwice() {
        long seed = CallLoad.seed();
        Random random = new Random(seed);
        List<Interruption> kills = new ArrayList<>();
        try (FakeCrm crm = new FakeCrm();
                BridgeProcess bridge = BridgeProcess.builder().store(store).crm(crm).quickRetries()
                        .setting("callbridge.store.lease-ms", "3000").start();
                CallLoad load = new CallLoad(seed, LINES, List.of(bridge.webhook()))) {
            for (int i = 0; i < KILLS; i++) {
                load.awaitMore(1 + random.nextInt(EVENTS_AT_MOST));
                long begin = System.nanoTime();
                bridge.kill();
                kills.add(new Interruption(begin, System.nanoTime()));
                bridge.restart();
            }
            load.awaitMore(EVENTS_AT_MOST);
            load.stop();
            assertTrue(load.refused() >= KILLS, () -> "the kills hit only " + load.refused() + " events");
            load.verify(bridge, crm, kills);
        }
    }
}
