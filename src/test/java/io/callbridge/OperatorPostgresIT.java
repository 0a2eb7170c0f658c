package io.callbridge;

import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.SharedBridge;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** What an operator can do with the other store, whose SQL is another one. */
@Tag("native")
class OperatorPostgresIT extends OperatorIT {

    private static BridgeProcess bridge;

    @BeforeAll
    static void start() {
        bridge = SharedBridge.builder().store(StoreKind.POSTGRESQL).start();
    }

    @AfterAll
    static void stop() {
        if (bridge != null) {
            bridge.close();
        }
    }

    @Override
    BridgeProcess bridge() {
        return bridge;
    }
}
