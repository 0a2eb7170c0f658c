package io.callbridge;

import io.callbridge.support.PostgresServer;
import java.nio.file.Path;

/** What an operator can do with the other store. */
class OperatorPostgresIT extends OperatorIT {

    @Override
    String newStore(Path folder) {
        return PostgresServer.shared().newDatabase();
    }
}
