package io.callbridge;

import io.callbridge.store.StoreKind;
import io.callbridge.support.BridgeProcess;
import io.callbridge.support.SharedBridge;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** What an operator can do with the other store, whose SQL is another one. */
@Tag("native")
class OperatorPostgresIT extends OperatorIT {

    @AutoClose
    private static BridgeProcess bridge;

    @BeforeAll
    static void start() {
        bridge = SharedBridge.builder().store(StoreKind.POSTGRESQL).start();
    }

    @Override
    BridgeProcess bridge() {
        return bridge;
    }
}
